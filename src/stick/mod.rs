//! The stick of a node: what is on it, how that is laid out, and reading one back.

mod clock;
mod contents;
mod disk;
mod fat;
mod file;
mod fit;
mod gpt;
mod image;
mod inspect;
mod label;
mod layout;
mod stamp;

pub use clock::Clock;
pub use contents::{Contents, Loader, Opened, Urls, contents};
pub use disk::Disk;
pub use file::{SaveError, save};
pub use fit::fit;
pub use image::{ImageError, image};
pub use inspect::{Found, NoStick, holds_stick, inspect};
pub use label::{Label, LabelError};
pub use layout::{Part, SECTOR, SIZE};
pub use stamp::{Drive, Extent, StampError, stamp};
