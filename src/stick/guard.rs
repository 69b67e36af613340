//! Which drives take a stick: what is never written to, and what only when it is named.

use super::device::{Device, Kind, Use, What};
use super::layout::Sector;
use super::reason::{NeedsForce, Never, listed};

/// A drive that is sold as one of 256 GB may have a little more of them: this is 256 GiB.
const LARGE: u64 = 256 << 30;

/// What becomes of a drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is never written to.
    pub refused: Vec<Never>,
    /// Why it is written to only when that is named.
    pub forced: Vec<NeedsForce>,
}

impl Verdict {
    /// Whether it is written to without a further word.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.refused.is_empty() && self.forced.is_empty()
    }
}

/// One thing that can speak against writing to a drive.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    /// Its reason in a word, as programs are told.
    pub code: &'static str,
    look: Look,
}

#[derive(Clone, Copy, Debug)]
enum Look {
    Refuse(fn(&Device) -> Option<Never>),
    Force(fn(&Device) -> Vec<NeedsForce>),
}

const fn refuse(code: &'static str, look: fn(&Device) -> Option<Never>) -> Guard {
    let look = Look::Refuse(look);
    Guard { code, look }
}

const fn force(code: &'static str, look: fn(&Device) -> Vec<NeedsForce>) -> Guard {
    let look = Look::Force(look);
    Guard { code, look }
}

/// All guards over a drive that was found, in the order in which they tell. What is no drive as a whole is not found at
/// all, and what is another one than the user was asked about is told when it is opened.
pub const GUARDS: &[Guard] = &[
    refuse("no-drive", |it| match it.kind {
        Kind::Other(is) => Some(Never::NoDrive(is)),
        _ => None,
    }),
    refuse("empty", |it| {
        (is_drive(it) && it.size == 0).then_some(Never::Empty)
    }),
    refuse("too-small", too_small),
    refuse("read-only", |it| {
        (is_drive(it) && it.read_only).then_some(Never::ReadOnly)
    }),
    refuse("sectors", |it| {
        let is_other = is_drive(it) && Sector::of(it.sector).is_none();
        is_other.then_some(Never::Sectors(it.sector))
    }),
    refuse("system", |it| mounted(it, true).map(Never::System)),
    refuse("mounted", |it| mounted(it, false).map(Never::Mounted)),
    refuse("swap", |it| {
        used(it, |what| matches!(what, What::Swap(_))).map(Never::Swap)
    }),
    refuse("held", |it| {
        used(it, |what| matches!(what, What::Held(_))).map(Never::Held)
    }),
    refuse("taken", |it| it.taken.then_some(Never::Taken)),
    refuse("unread", |it| {
        (!it.unread.is_empty()).then(|| Never::Unread(listed(&it.unread)))
    }),
    force("not-removable", |it| {
        // Nobody has a loop device by mistake: somebody attached a file to it.
        let found = !it.removable && it.kind == Kind::Drive;
        Vec::from_iter(found.then_some(NeedsForce::NotRemovable))
    }),
    force("large", |it| {
        let found = it.size > LARGE;
        Vec::from_iter(found.then_some(NeedsForce::Large(it.size)))
    }),
    force("part", parts),
];

/// All that speaks against writing to a drive.
#[must_use]
pub fn judge(guards: &[Guard], device: &Device) -> Verdict {
    let mut verdict = Verdict::default();
    for guard in guards {
        match guard.look {
            Look::Refuse(look) => verdict.refused.extend(look(device)),
            Look::Force(look) => verdict.forced.extend(look(device)),
        }
    }
    verdict
}

fn is_drive(device: &Device) -> bool {
    !matches!(device.kind, Kind::Other(_))
}

fn too_small(device: &Device) -> Option<Never> {
    let size = device.size;
    let sector = Sector::of(device.sector).unwrap_or(Sector::Of512);
    let least = sector.stick_size();
    let is_small = is_drive(device) && (1..least).contains(&size);
    is_small.then_some(Never::TooSmall { size, least })
}

fn parts(device: &Device) -> Vec<NeedsForce> {
    let parts = device.partitions.iter().map(|it| (&it.name, &it.holds));
    let all = std::iter::once((&device.name, &device.holds)).chain(parts);
    let parts = all.flat_map(|(name, holds)| {
        let of = holds.iter().filter(|it| it.is_part());
        of.map(|it| NeedsForce::Part {
            on: name.clone(),
            what: it.name(),
        })
    });
    parts.collect()
}

/// Folders of the running system; everything else that is mounted can be unmounted.
const SYSTEM: &[&str] = &[
    "/", "/boot", "/efi", "/etc", "/home", "/nix", "/opt", "/root", "/srv", "/sysroot", "/usr",
    "/var",
];

fn is_system(at: &str) -> bool {
    let inside = |folder: &str| {
        at.strip_prefix(folder)
            .is_some_and(|it| it.starts_with('/'))
    };
    SYSTEM.contains(&at) || ["/boot", "/usr", "/var"].iter().any(|it| inside(it))
}

/// Where it is mounted: in the running system, or elsewhere.
fn mounted(device: &Device, in_system: bool) -> Option<Vec<String>> {
    let is = |what: &_| matches!(what, What::Mounted(at) if is_system(at) == in_system);
    used(device, is)
}

/// The uses of one kind, in words; `None` where there is none.
fn used(device: &Device, is: impl Fn(&What) -> bool) -> Option<Vec<String>> {
    let uses = device.uses.iter().filter(|it| is(&it.what));
    let all: Vec<String> = uses.map(text).collect();
    (!all.is_empty()).then_some(all)
}

fn text(one: &Use) -> String {
    let on = one.through.join(" > ");
    match &one.what {
        What::Mounted(at) => format!("`{at}` ({on})"),
        What::Swap(None) => on,
        What::Swap(Some(file)) => format!("`{file}` ({on})"),
        What::Held(by) => format!("{by} ({on})"),
    }
}
