//! The loaders that go onto a stick: what a binary of iPXE can do, and where there is one that can do enough.

mod binary;
mod feature;
mod file;
mod folder;
mod install;
mod kernel;
mod search;
mod target;

pub use binary::{Loader, NotALoader, read};
pub use feature::Feature;
pub use file::{Flaw, Found};
pub use folder::PassedOver;
pub use install::suggest_install;
pub use search::{LoaderError, NamedBy, Places, SYSTEM_FOLDERS, Search, find, load};
pub use target::Target;

#[cfg(test)]
mod tests;
