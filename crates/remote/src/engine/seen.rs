//! Objects that are looked at before they are put anew: one that somebody else has put meanwhile stays.

use object_store::{GetOptions, GetRange, PutMode, UpdateVersion};

use super::{Content, Engine, Failure, sent};

/// An object as it was seen, as far as the storage tells objects of one name apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Option<UpdateVersion>);

impl Engine {
    /// The first bytes of an object, at most so many.
    pub(crate) async fn beginning(&self, name: &str, bytes: u64) -> Result<(Vec<u8>, Seen), Failure> {
        let options = GetOptions { range: Some(GetRange::Bounded(0..bytes)), ..GetOptions::default() };
        let path = self.path(name);
        self.demand_file(&path)?;
        let answer = self.answered(self.store.get_opts(&path, options)).await?;
        let (e_tag, version) = (answer.meta.e_tag.clone(), answer.meta.version.clone());
        let seen = Seen(e_tag.is_some().then_some(UpdateVersion { e_tag, version }));
        let content = self.answered(answer.bytes()).await?;
        Ok((content.to_vec(), seen))
    }

    /// Puts an object in the place of the one that was seen. [`Failure::Present`] where another one stands there by now, if the
    /// storage can tell; one that cannot is written to all the same.
    pub(crate) async fn replace_seen(&self, name: &str, content: Content, seen: Seen) -> Result<(), Failure> {
        let Some(version) = seen.0 else { return self.replace(name, content).await };
        let (path, size) = (self.path(name), content.content_length() as u64);
        let mode = PutMode::Update(version).into();
        match sent(size, async { Ok(self.store.put_opts(&path, content.clone(), mode).await) }).await? {
            Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. }) => {
                self.replace(name, content).await
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }
}
