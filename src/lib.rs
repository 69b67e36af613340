//! Ephemeros runs a fleet of machines that have no system disk. The fleet is one git repository; a node
//! boots from a stick, fetches its operating system and its config, and keeps nothing.
//!
//! The whole tool is three flows. Each arrow is one public function from one value to the next; files, git
//! and the user stand only at the ends.
//!
//! ```text
//! fleet.toml, nodes/*.toml   fleet::manifest    -> Manifest          what is written, and where
//! defaults < roles < node    fleet::resolve     -> Fleet             complete nodes
//! templates/*.bu             render             -> Butane text       minijinja, strict
//! Butane YAML                butane::translate  -> ignition::Config  mistakes with path and place
//!                            ignition::merge, ignition::validate
//! the boot script's body     render, ipxe::lint
//! ignition/, ipxe/           plan::base         -> Base              what nodes fetch now
//!                            plan::compare      -> Plan              what would change, and its cost
//! the URLs of those files    status::probe      -> Served            what nodes are served today
//!                            status::judge      -> Verdict           whose bytes these are
//! sticks/*.toml              stick::record      -> Sticks            what stands on the sticks that were made
//!                            plan::sticks       -> StickPlan         which of them have to be written anew
//!
//! a distribution's servers   net::Client        -> bytes             with patience
//!                            os::Servers        -> fleet.lock        releases and digests, signatures checked
//!
//! node + opened secrets      stick::contents    -> Contents          every file that the stick will hold
//!                            stick::image       -> Disk              partition table, FAT
//!                            stick::save        -> a file
//! a drive                    stick::judge       -> Verdict           whether it may be written
//!                            stick::fit, stamp  -> a stick           guarded, written, read back
//!                            stick::record      -> sticks/*.toml
//! a file that is a stick     stick::inspect     -> Found             whose it is, and whether all is there
//!
//! a commit, the working tree site::serve        -> HTTP              what nodes fetch, and a mirror of what they boot
//!                            site::export       -> a folder
//! node + values in place     boot::stand_in     -> Opened            what no key is needed for
//! a stick, a network card    boot::Machine      -> QEMU              with no network but that server
//! a console, requests        boot::Story        -> Verdict           what a node did, and whether it came online
//! ```
//!
//! The modules below stand from the bottom of the house to its roof: each imports only what stands above
//! it in this list. `tests/house.rs` holds them to it.

// What everything stands on: texts and their mistakes, files, the user behind sudo.
pub mod diagnostic;
pub mod env_file;
pub mod invoker;
pub mod nearest;
pub mod os_release;
pub mod progress;
pub mod shell_words;
pub mod source;
pub mod write;

// What the world outside looks like. None of these knows of fleets.
pub mod git;
pub mod ipxe;
pub mod net;
pub mod os;
pub mod secrets;

// Butane and Ignition, which could leave as a crate of their own; and what people had before them.
pub mod butane;
pub mod clc;
pub mod ignition;
pub mod yaml;

// The fleet, what is made of it, and the only room with private keys.
pub mod fleet;
pub mod plan;
pub mod render;
pub mod site;
pub mod stick;
pub mod vault;

// A node in a virtual machine; what nodes are served today.
pub mod boot;
pub mod status;

// The user.
pub mod cli;
pub mod commands;
pub mod ui;
