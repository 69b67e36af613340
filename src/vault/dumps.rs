//! Keeps keys and values out of core dumps.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// From here on the process leaves no core dump, and other processes of the same user can't look into it. Programs that
/// it starts leave none either, but can be looked into. To be called before a key or a value is read.
///
/// A sandbox may refuse it. That is no reason to refuse the work.
pub fn forbid_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
