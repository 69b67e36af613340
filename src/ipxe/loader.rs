//! The loaders that go onto a stick: what a binary of iPXE can do, and where there is one that can do enough.
//! So far those for UEFI.

mod binary;
mod file;
mod folder;
mod install;
mod search;

pub use binary::{Loader, NotALoader, read};
pub use file::{Flaw, Found};
pub use folder::PassedOver;
pub use install::suggest_install;
pub use search::{LoaderError, NamedBy, Places, SYSTEM_FOLDERS, Search, find, load};

#[cfg(test)]
mod tests;
