//! `serve`: gives nodes what they fetch, and what they boot.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::serve_text::{self, Log};
use super::{Failure, Loaded, Outcome, fail, home, load};
use crate::cli;
use crate::fleet::file::Git;
use crate::git::{self, ObjectId, repo::Repo};
use crate::invoker::Invoker;
use crate::plan::base::{self, Revision};
use crate::progress::{Endable, Progress as _};
use crate::site::{self, Cache, Committed, Live, Mirror, Rendered, Site, Trouble};
use crate::ui::{Orderly, Ui};

/// Where it listens when only an address is given.
const PORT: u16 = 8080;

impl From<(Trouble, &Ui)> for Failure {
    fn from((trouble, ui): (Trouble, &Ui)) -> Self {
        if ui.stopped() {
            return Self::Stopped;
        }
        if !trouble.mistakes.is_empty() {
            return fail(ui, trouble.mistakes);
        }
        Self::Problem {
            message: trouble.message,
            help: trouble.help,
        }
    }
}

pub(super) fn run(args: &cli::Serve, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let Loaded { fleet, repo, .. } = load(start, ui)?;
    let root = fleet.root.clone();
    if args.live {
        let live = Live {
            root: fleet.root,
            prefix: fleet.prefix.clone(),
            adjust: &|_| {},
        };
        return give(args, &live, (&root, "the working tree"), ui);
    }
    let Some(repo) = repo else {
        return Err(Failure::problem(
            "there is no git repository that could hold what nodes fetch",
            Some("make one (`git init`), or serve the working tree with `--live`"),
        ));
    };
    let (settings, asked) = (fleet.git, args.from_git.clone());
    let name = match base::revision(&repo, &settings, asked.as_deref())? {
        Some(found) => describe(&found),
        None => {
            return Err(Failure::problem(
                "there is no commit yet, so nodes fetch nothing",
                Some("commit, or serve the working tree with `--live`"),
            ));
        }
    };
    let resolve = move |repo: &Repo| commit(repo, &settings, asked.as_deref());
    let committed = Committed::new(fleet.root, repo, &resolve);
    give(args, &committed, (&root, &name), ui)
}

fn describe(found: &Revision) -> String {
    let short: String = found.commit.to_string().chars().take(7).collect();
    let name = format!("{} ({short})", found.name);
    match &found.instead_of {
        Some(missing) => format!("{name}, since {missing} is not known here"),
        None => name,
    }
}

fn commit(repo: &Repo, settings: &Git, asked: Option<&str>) -> Result<ObjectId, git::Error> {
    let found = base::revision(repo, settings, asked)?;
    found
        .map(|found| found.commit)
        .ok_or_else(|| git::Error::UnknownRevision {
            revision: "HEAD".to_owned(),
            nearest: None,
            shallow: false,
        })
}

/// Serves, or exports.
fn give(
    args: &cli::Serve,
    rendered: &dyn Rendered,
    (root, name): (&Path, &str),
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let source = || rendered.catalogue();
    let cache = Cache::new(cache_folder(args.cache.as_deref())?, args.cache_size);
    let os = args.os.as_deref();
    if let Some(to) = &args.export {
        if to.canonicalize().is_ok_and(|to| to == root) {
            return Err(Failure::Usage {
                message: format!("{} is the fleet's own folder", to.display()),
                help: "name another folder; `ephemeros render` writes into this one".to_owned(),
            });
        }
        return export(
            to,
            rendered,
            &with_folder(Mirror::new(&source, cache, None), os)?,
            ui,
        );
    }
    let (listener, own) = listen(&args.listen)?;
    // It ends when the user says so, or when nobody reads the log any more.
    let until = Endable::new(ui);
    let mirror = Mirror::new(&source, cache, Some(own));
    let mirror = with_folder(mirror, os)?.until(&until);
    let site = Site {
        trees: vec![rendered, &mirror],
        inboxes: Vec::new(),
    };
    // What is sent now is sent to its end, and what is half fetched stays for the next time.
    let _orderly = Orderly::begin();
    serve_text::begin(ui, name, own)?;
    let log = Log::new(ui);
    let on_access = |access: &site::Access| {
        if log.write(access).is_err() {
            until.is_over.store(true, Ordering::Relaxed);
        }
    };
    site::serve(&listener, &site, &on_access, &until)
        .map_err(|error| Failure::problem(format!("can't take connections: {error}"), None))?;
    if until.is_over.load(Ordering::Relaxed) {
        Err(Failure::ClosedPipe)
    } else {
        Err(Failure::Stopped)
    }
}

fn listen(text: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let unclear = || Failure::Usage {
        message: format!("`{text}` is no address to listen at"),
        help: "write for example `127.0.0.1:8080`, `0.0.0.0:8080` or `[::1]:8080`".to_owned(),
    };
    let addresses: Vec<SocketAddr> = if let Ok(address) = text.parse() {
        vec![address]
    } else if let Ok(address) = text.trim_matches(['[', ']']).parse() {
        vec![SocketAddr::new(address, PORT)]
    } else if let Ok(port) = text.trim_start_matches(':').parse() {
        vec![SocketAddr::from(([127, 0, 0, 1], port))]
    } else {
        let found = text.to_socket_addrs().map_err(|_| unclear())?;
        found.collect()
    };
    let bound = TcpListener::bind(&addresses[..])
        .and_then(|listener| listener.local_addr().map(|own| (listener, own)));
    bound.map_err(|error| {
        let help = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program listens there: end it, or take another port with `--listen`"
            }
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 are root's: take another one with `--listen`"
            }
            _ => "name an address of this machine with `--listen`",
        };
        Failure::problem(format!("can't listen at {text}: {error}"), Some(help))
    })
}

/// Where what was fetched is kept. What root fetches for others must not lie in their home, where they could not use it.
pub(super) fn cache_folder(option: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = option {
        return Ok(folder.to_owned());
    }
    let set = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    if let Some(set) = set.filter(|it| it.is_absolute()) {
        return Ok(set.join("ephemeros"));
    }
    if Invoker::detect().is_some() {
        return Ok(PathBuf::from("/var/cache/ephemeros"));
    }
    let home = home().map(|home| home.join(".cache/ephemeros"));
    home.ok_or_else(|| {
        Failure::problem(
            "there is no home, so no place to keep what is fetched",
            Some("name a folder with `--cache DIR`"),
        )
    })
}

/// With the releases of a folder, where one is named.
pub(super) fn with_folder<'a>(
    mirror: Mirror<'a>,
    folder: Option<&Path>,
) -> Result<Mirror<'a>, Failure> {
    let Some(folder) = folder else {
        return Ok(mirror);
    };
    mirror.with_folder(folder).map_err(|error| {
        Failure::problem(
            format!("can't look into {}: {error}", folder.display()),
            Some("name a folder with the files of the releases"),
        )
    })
}

fn export(
    to: &Path,
    rendered: &dyn Rendered,
    mirror: &Mirror,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let orderly = Orderly::begin();
    let exported = site::export(rendered, mirror, to, ui).map_err(|trouble| (trouble, ui))?;
    // All is written: a Ctrl-C that comes now is too late to say otherwise.
    std::mem::forget(orderly);
    serve_text::exported(ui, to, &exported)?;
    Ok(Outcome::Done)
}
