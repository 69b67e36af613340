//! Makes the whole repository: what every fleet has, the machines, and what is rendered from them.

use std::error::Error;
use std::path::Path;
use std::{fs, io};

use ephemeros::diagnostic::Diagnostic;
use ephemeros::fleet::files::Folder;
use ephemeros::fleet::manifest::Manifest;
use ephemeros::fleet::resolve::resolve;
use ephemeros::ipxe::BODY;
use ephemeros::progress::Silent;
use ephemeros::render::all::render_each;
use ephemeros::render::engine::Engine;
use ephemeros::secrets::recipients::Recipient;
use rayon::prelude::*;
use uuid::Builder;

use machine::Maker;
use random::Random;
use repository::Repository;

mod machine;
mod random;
mod repository;

/// The public half of `tests/identity/demo.age.key`.
const READER: &str = "age1tzha5pml89m07twagpf3jesrtedseakqmz7hmprhhhe4jquedgdqqm7qsh";

/// How many machines are in memory at once while they are made.
const AT_ONCE: usize = 20_000;

/// Files by their paths, from `skeleton/`.
macro_rules! skeleton {
    ($($path:literal)*) => {
        [$(($path, include_str!(concat!("skeleton/", $path)))),*]
    };
}

/// The files that every fleet has. `fleet.toml` gets its first lines from the seed.
const SKELETON: [(&str, &str); 14] = skeleton![
    "fleet.lock"
    "templates/bond.bu"
    "templates/core.bu"
    "templates/ddns.bu"
    "templates/heartbeat.bu"
    "templates/hostname.bu"
    "templates/k3s.bu"
    "templates/logexport.bu"
    "templates/metrics.bu"
    "templates/mirror.bu"
    "templates/secrets.bu"
    "templates/sysctl.bu"
    "templates/time.bu"
    "templates/files/ddns_update"
];

/// Makes so many machines in a folder that is empty or not there yet, and says what is done.
pub(crate) fn generate(
    machines: u32,
    seed: u64,
    folder: &Path,
    tell: impl Fn(&str),
) -> Result<(), Box<dyn Error>> {
    let shown = folder.display();
    if !is_empty(folder).map_err(|error| format!("can't read `{shown}`: {error}"))? {
        return Err(format!("`{shown}` is not empty: name a new folder").into());
    }
    let mut repository = Repository::begin(folder)
        .map_err(|error| format!("can't make a repository in `{shown}`: {error}"))?;
    repository.write(&[("fleet.toml".to_owned(), fleet_toml(machines, seed))])?;
    repository.write(&SKELETON.map(|(path, text)| (path.to_owned(), text)))?;
    write_nodes(machines, seed, &mut repository)?;
    tell("machines and their secrets made");
    write_rendered(folder, &mut repository)?;
    tell("rendered");
    repository.commit()?;
    tell("committed");
    Ok(())
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn fleet_toml(machines: u32, seed: u64) -> String {
    // No machine has this number.
    let mut random = Random::new(seed, u64::MAX);
    let bytes = (u128::from(random.next()) << 64) | u128::from(random.next());
    let id = Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid();
    format!(
        "# {machines} machines, made from seed {seed}.\nname = \"fleet-{seed}\"\nid = \"{id}\"\n\n\
         [vault]\nrecipients = [\"{READER}\"]\n\n{}",
        include_str!("skeleton/fleet.toml")
    )
}

fn write_nodes(
    machines: u32,
    seed: u64,
    repository: &mut Repository,
) -> Result<(), Box<dyn Error>> {
    let reader: Recipient = READER.parse()?;
    let maker = Maker::new(seed, [reader].into_iter().collect())?;
    let numbers: Vec<u32> = (0..machines).collect();
    for some in numbers.chunks(AT_ONCE) {
        let made: Result<Vec<_>, _> = some.par_iter().map(|number| maker.make(*number)).collect();
        let files: Vec<_> = made?.into_iter().flatten().collect();
        repository.write(&files)?;
    }
    Ok(())
}

fn write_rendered(folder: &Path, repository: &mut Repository) -> Result<(), Box<dyn Error>> {
    let files = Folder(folder.to_owned());
    let (manifest, mistakes) = Manifest::read(folder, &files)?;
    refuse(&mistakes)?;
    let manifest = manifest.ok_or("the fleet can't be read")?;
    let (fleet, mistakes) = resolve(&manifest);
    refuse(&mistakes)?;
    let engine = Engine::read(&files, &[("boot.ipxe", BODY)])?;
    let nodes: Vec<_> = fleet.nodes.iter().collect();
    let mistakes = render_each(&fleet, &nodes, &engine, &Silent, |rendered| {
        // Configs first, then boot scripts: like beside like makes a small pack.
        for at in [0, 1] {
            let files = rendered.iter().map(|node| node.files()[at].clone());
            repository.write(&files.collect::<Vec<_>>())?;
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    Ok(refuse(&mistakes)?)
}

/// A generated fleet has no mistakes, and gives no warning.
fn refuse(mistakes: &[Diagnostic]) -> Result<(), String> {
    let Some(mistake) = mistakes.first() else {
        return Ok(());
    };
    let node = mistake.node.as_deref().unwrap_or("the fleet");
    let help = mistake.help.as_deref().unwrap_or_default();
    let message = &mistake.message;
    Err(format!(
        "a mistake in what was made, of {node}: {message}; {help}"
    ))
}
