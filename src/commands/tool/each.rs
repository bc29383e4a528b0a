//! Doing something with several applications. One that fails does not keep the others from their turn; the exit code is 1 then.

use std::sync::{Mutex, PoisonError};

use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::progress::Counter;

/// How many applications are made at once.
const AT_ONCE: usize = 4;

/// Does it for one after the other.
pub(super) fn each(
    context: &Context,
    names: &[String],
    act: &dyn Fn(&str) -> Result<(), Failure>,
) -> Result<u8, Failure> {
    if let [name] = names {
        return act(name).map(|()| 0);
    }
    let mut code = 0;
    for name in names {
        if let Err(failure) = act(name) {
            tell_failure(context, name, failure);
            code = 1;
        }
    }
    Ok(code)
}

/// Does it for several at once, for work that waits for indexes most of the time. `tell` says what came of each, in the order
/// in which they end.
pub(super) fn each_at_once<T>(
    context: &Context,
    names: &[String],
    act: &(dyn Fn(&Context, &str) -> Result<T, Failure> + Sync),
    tell: &(dyn Fn(T) + Sync),
) -> Result<u8, Failure> {
    if let [name] = names {
        return act(context, name).map(tell).map(|()| 0);
    }
    let bar = Counter::new(context.output, "applications", names.len());
    let code = Mutex::new(0);
    virtpy_resolver::prepare();
    let (store, here) = (context.store.clone(), context.working_directory.clone());
    let of_several = Context::of(store, here, context.output.of_several());
    fs::map_ordered(names, AT_ONCE, |name| {
        let result = act(&of_several, name);
        let mut code = code.lock().unwrap_or_else(PoisonError::into_inner);
        bar.aside(|| match result {
            Ok(done) => tell(done),
            Err(failure) => {
                tell_failure(context, name, failure);
                *code = 1;
            }
        });
        bar.tick();
    });
    Ok(code.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Tells people why nothing became of one of several applications.
fn tell_failure(context: &Context, name: &str, failure: Failure) {
    context.output.failure(&failure.within(format!("`{name}` was left as it was")));
}
