//! Which entries a command of the store means, in which store: the user's own, and what venvs use of those below it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_resolver::normalized_path;

use super::is_named;
use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;
use crate::progress::Counter;
use crate::store::{EntryId, KnownOrigin, Layer, Store, Verdict};
use crate::venv;

/// Entries of one store.
pub(super) struct Share<'a> {
    /// The lower store; nothing for the user's own.
    layer: Option<&'a Layer>,
    ids: Vec<EntryId>,
}

/// All that is meant.
pub(super) struct Shares<'a>(Vec<Share<'a>>);

impl<'a> Shares<'a> {
    /// Everything of the user's own store, and what the user's venvs use of the lower ones; of that what names of packages and ids
    /// mean, where there are some.
    pub(super) fn of_user(context: &'a Context, names: &[String]) -> Result<Self, Failure> {
        let used = Used::by_user(context)?;
        let mut all = vec![used.share_of_own(context)?];
        all.extend(used.shares_below(context));
        Self(all).named(&context.store, names)
    }

    /// The same of one store alone, whoever uses it.
    pub(super) fn of_store(context: &'a Context, store: &Path, names: &[String]) -> Result<Self, Failure> {
        let path = normalized_path(&context.working_directory.join(store));
        let used = Used::by_user(context)?;
        let share = if path == context.store.home() {
            used.share_of_own(context)?
        } else {
            let layer = layer_at(context, &path)?;
            let store = Store::new(path);
            let mut ids: BTreeSet<EntryId> = store.ids()?.into_iter().chain(store.sealed_ids()?).collect();
            ids.extend(used.below.get(layer.home()).into_iter().flatten().cloned());
            Share { layer: Some(layer), ids: ids.into_iter().collect() }
        };
        Self(vec![share]).named(&context.store, names)
    }

    fn named(mut self, store: &Store, names: &[String]) -> Result<Self, Failure> {
        if names.is_empty() {
            return Ok(self);
        }
        let mut found = BTreeSet::new();
        for Share { layer, ids } in &mut self.0 {
            let home = layer.map(Layer::home);
            ids.retain(|id| {
                let package = || Some(KnownOrigin::of_entry(&store.path_linked(id, home))?.name);
                let meant: Vec<&String> = names.iter().filter(|name| is_named(name, id, &package)).collect();
                found.extend(meant.iter().copied());
                !meant.is_empty()
            });
        }
        match names.iter().find(|name| !found.contains(name)) {
            Some(name) => Err(Failure::new(format!("the store has nothing named `{name}`"))),
            None => Ok(self),
        }
    }

    /// Whether the user's own store is meant.
    pub(super) fn has_own(&self) -> bool {
        self.0.iter().any(|share| share.layer.is_none())
    }

    /// How many packages, in words.
    pub(super) fn told(&self) -> String {
        let count = |of: &dyn Fn(&&Share<'_>) -> bool| -> usize {
            self.0.iter().filter(of).map(|share| share.ids.len()).sum()
        };
        let all = counted(count(&|_| true), "package");
        match count(&|share| share.layer.is_some()) {
            0 => all,
            below => format!("{all}, {below} of them in lower stores"),
        }
    }

    /// The verdicts on those in which something is wrong.
    pub(super) fn damaged(&self, context: &Context) -> Vec<Verdict> {
        let count = self.0.iter().map(|share| share.ids.len()).sum();
        let progress = Counter::new(context.output, "verifying", count);
        let mut verdicts = Vec::new();
        for Share { layer, ids } in &self.0 {
            let done = || progress.tick();
            verdicts.extend(match layer {
                None => context.store.verify(ids, &done),
                Some(layer) => context.store.verify_below(layer, ids, &done),
            });
        }
        verdicts.retain(|verdict| !verdict.findings.is_empty());
        verdicts
    }
}

/// The lower store in a folder.
fn layer_at<'a>(context: &'a Context, path: &Path) -> Result<&'a Layer, Failure> {
    let layer = context.store.lower()?.iter().find(|layer| layer.home() == path);
    let Some(layer) = layer else {
        let message = format!("`{}` is neither your store nor one below it", path.display());
        return Err(Failure::new(message).hinted("the setting `stores` names the stores below yours"));
    };
    if layer.is_there() {
        return Ok(layer);
    }
    Err(Failure::new(format!("the store `{}` is not there", path.display())).hinted("mount it there"))
}

/// What the user's venvs use, whether or not it is there.
#[derive(Default)]
struct Used {
    own: BTreeSet<EntryId>,
    /// By the folders of the lower stores.
    below: BTreeMap<PathBuf, BTreeSet<EntryId>>,
}

impl Used {
    fn by_user(context: &Context) -> Result<Self, Failure> {
        // One that is not believed is not looked at, which has to be said.
        context.store.lower()?;
        let mut used = Self::default();
        for venv in venv::survey(&context.store)?.into_iter().filter(|venv| venv.fate.keeps()) {
            used.own.extend(venv.uses);
            for entry in venv.uses_lower {
                used.below.entry(entry.store).or_default().insert(entry.id);
            }
        }
        Ok(used)
    }

    /// What the user's own store has, and what it ought to have and nothing is in the place of.
    fn share_of_own<'a>(&self, context: &Context) -> Result<Share<'a>, Failure> {
        let store = &context.store;
        let mut ids: BTreeSet<EntryId> = store.ids()?.into_iter().collect();
        for id in store.sealed_ids()?.iter().chain(&self.own) {
            if store.is_vacant(id)? {
                ids.insert(id.clone());
            }
        }
        Ok(Share { layer: None, ids: ids.into_iter().collect() })
    }

    /// What is used of each lower store.
    fn shares_below(self, context: &Context) -> Vec<Share<'_>> {
        let mut shares = Vec::new();
        for (home, ids) in self.below {
            if let Some(layer) = context.store.layer(&home) {
                shares.push(Share { layer: Some(layer), ids: ids.into_iter().collect() });
                continue;
            }
            let (home, count) = (home.display(), counted(ids.len(), "package"));
            context.output.warning(format_args!(
                "the store `{home}`, from which venvs have {count}, is not looked at: it is not there, or not in the setting \
                 `stores`"
            ));
        }
        shares
    }
}
