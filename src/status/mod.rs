//! What the URLs serve that nodes fetch from, and whether that is what was committed.

mod probe;
mod report;
mod served;
mod verdict;

pub use probe::{Answer, Asked, Manner, probe, server_of};
pub use report::{FileStatus, NodeStatus, Report, schema};
pub use served::{Expected, Role, Served, judge};
pub use verdict::{Kind, Looks, Place, Verdict};
