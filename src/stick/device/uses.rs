//! What uses a drive: mounts, swap and other block devices, whatever lies between.

use super::Device;
use super::attribute::clean;
use super::blocks::{Block, Blocks, is_same_file};
use super::mounts::Mounts;
use super::signature::Signature;

/// A use of a drive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The block devices between, from the drive's own on: `sda3`, `dm-0`, `dm-1`.
    pub through: Vec<String>,
    /// What it is.
    pub what: What,
}

/// What a use is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is mounted there.
    Mounted(String),
    /// It is swapped to, or to this file on it.
    Swap(Option<String>),
    /// Something else stands on it, in words.
    Held(String),
}

/// All uses that the kernel tells of.
pub(super) fn find(blocks: &Blocks, mounts: &Mounts, drive: &Block) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut open: Vec<(Vec<String>, &Block)> = Vec::new();
    open.extend(blocks.of(&drive.name).map(|it| (Vec::new(), it)));
    while let Some((below, block)) = open.pop() {
        if seen.contains(&block.name.as_str()) {
            continue;
        }
        seen.push(&block.name);
        let mut through = below;
        through.push(block.name.clone());
        let mut add = |what: What| {
            uses.push(Use {
                through: through.clone(),
                what,
            });
        };
        let mounted = mounts.all.iter().filter(|it| it.on.contains(&block.name));
        let places = mounted.map(|it| clean(&it.at.to_string_lossy()));
        let places: Vec<String> = places.collect();
        let swaps = mounts.swaps.iter().filter(|it| it.0 == block.name);
        swaps.for_each(|it| add(What::Swap(it.1.as_deref().map(clean))));
        let btrfs = mounts.btrfs.iter().flatten().any(|it| *it == block.name);
        if btrfs && places.is_empty() {
            add(What::Held("a btrfs that is mounted elsewhere".to_owned()));
        }
        for at in places {
            add(What::Mounted(at));
        }
        // A drive is free when all above it are gone.
        for holder in &block.holders {
            add(What::Held(blocks.described(holder)));
        }
        if let Some(file) = blocks.behind(&block.name) {
            let swaps = mounts.swap_files.iter().filter(|it| is_same_file(file, it));
            swaps.for_each(|it| add(What::Swap(Some(clean(&it.to_string_lossy())))));
        }
        for other in blocks.beside(&block.name) {
            add(What::Held(format!(
                "`{other}`, which is over the same file"
            )));
        }
        let files = blocks.loops.iter().filter(|it| {
            let file = it.1.as_path();
            mounts.holding(file).contains(&block.name)
        });
        let above = block.holders.iter().chain(files.map(|it| &it.0));
        let above = above.map(String::as_str).chain(blocks.beside(&block.name));
        for name in above {
            // One that is not listed has no uses that could be found; that it holds the drive stands above.
            open.extend(blocks.of(name).map(|it| (through.clone(), it)));
        }
    }
    uses.sort();
    uses.dedup();
    uses
}

/// Pools of ZFS that are imported, which the kernel tells only by their names.
pub(super) fn pools(mounts: &Mounts, device: &Device) -> Vec<Use> {
    let all = device.partitions.iter().map(|it| (&it.name, &it.holds));
    let all = std::iter::once((&device.name, &device.holds)).chain(all);
    let held = all.flat_map(|(name, holds)| {
        holds.iter().filter_map(move |it| match it {
            Signature::Zfs(Some(pool)) if mounts.pools.contains(pool) => Some(Use {
                through: vec![name.clone()],
                what: What::Held(format!("the ZFS pool `{}`", clean(pool))),
            }),
            _ => None,
        })
    });
    held.collect()
}
