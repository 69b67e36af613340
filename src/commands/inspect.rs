//! `inspect`: whose stick a file is, and what is on it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::ioctl_blksszget;
use serde_json::json;

use super::stick_made::expected;
use super::{Failure, Outcome, count, load};
use crate::cli;
use crate::source::Source;
use crate::stick::record::{Moment, Recorded, read, record_path};
use crate::stick::{Found, Sector, differences, inspect, secret_differences};
use crate::ui::Ui;

pub(super) fn run(args: &cli::Inspect, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let path = args.file.display();
    let is = fs::metadata(&args.file).map(|it| it.file_type());
    if let Ok(is) = is
        && !is.is_file()
        && !is.is_block_device()
    {
        return Err(Failure::problem(
            format!("`{path}` is neither a file nor a drive"),
            Some("a stick is read from more than one place: a pipe or a folder won't do"),
        ));
    }
    let mut file = File::open(&args.file).map_err(|error| {
        let as_root = format!("read it as root: `sudo ephemeros inspect {path}`");
        let help = match error.kind() {
            io::ErrorKind::PermissionDenied => as_root.as_str(),
            _ => "name a file or a drive that you may read",
        };
        Failure::problem(format!("can't open `{path}`: {error}"), Some(help))
    })?;
    let mut found = inspect(&mut file).map_err(|error| {
        Failure::problem(
            format!("`{path}`: {error}"),
            Some("`ephemeros image NODE -o FILE` makes one"),
        )
    })?;
    if let Ok(own) = ioctl_blksszget(&file)
        && u64::from(own) != found.sector.bytes()
    {
        found.faults.push(format!(
            "it was laid out for sectors of {} bytes, and this drive has {own}: it does not boot",
            found.sector.bytes()
        ));
    }
    let compared = match &args.node {
        Some(node) => Some(compare(args, node, start, &mut file, &found, ui)?),
        None => None,
    };
    if ui.json() {
        let label = &found.label;
        let mut text = json!({
            "format": 1,
            "node": label.node,
            "fleet": label.fleet,
            "fleet_id": label.fleet_id,
            "stick": label.stick,
            "commit": label.commit,
            "sector": found.sector.bytes(),
            "config_url": label.config_url,
            "script_url": label.script_url,
            "loaders": label.loaders,
            "secrets": label.secrets,
            "files": found.efi,
            "secret_files": found.secrets,
            "faults": found.faults,
        });
        if let Some(compared) = &compared {
            text["flashed"] = json!(compared.flashed.map(|it| it.to_string()));
            text["state"] = json!(compared.state);
            text["differences"] = json!(compared.differences);
            text["values_compared"] = compared.has_values.into();
        }
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.text(&describe(&found, compared.as_ref()))?;
    }
    if found.faults.is_empty() {
        let differs = compared.is_some_and(|it| !it.differences.is_empty());
        return Ok(if args.detailed_exitcode && differs {
            Outcome::Changes
        } else {
            Outcome::Done
        });
    }
    for fault in &found.faults {
        ui.error(&format!("`{path}`: {fault}"), None);
    }
    Err(Failure::problem(
        "this stick is not as it was written",
        Some("make it anew with `ephemeros flash` or `ephemeros image`"),
    ))
}

/// What the fleet says of the stick.
struct Compared {
    /// When it was written, by the record.
    flashed: Option<Moment>,
    /// `active`, `spare` or `lost`, by the record.
    state: Option<&'static str>,
    /// In what it differs from what would be written now.
    differences: Vec<String>,
    /// Whether the values of the secrets were compared too.
    has_values: bool,
}

fn compare(
    args: &cli::Inspect,
    node: &str,
    start: &Path,
    file: &mut File,
    found: &Found,
    ui: &Ui,
) -> Result<Compared, Failure> {
    let mut loaded = load(start, ui)?;
    let (contents, has_values) = expected(&mut loaded, node, found.sector, &args.made_of, ui)?;
    let now = contents
        .label()
        .map_err(|error| Failure::problem(error, None))?;
    let mut all = differences(&found.label, &now);
    let is_same_node = (found.label.fleet_id, &found.label.node) == (now.fleet_id, &now.node);
    // What an older version reads of a newer one says which secrets differ already.
    if has_values && is_same_node && found.label.secrets == now.secrets {
        match secret_differences(file, &contents, &now) {
            Ok(found) => all.extend(found),
            Err(error) => all.push(format!("the secrets can't be compared: {error}")),
        }
    }
    let recorded = recorded(&loaded.fleet.root, found);
    Ok(Compared {
        flashed: recorded.as_ref().map(|it| it.flashed),
        state: recorded.map(|it| it.state.word()),
        differences: all,
        has_values,
    })
}

/// What the record says of the stick. What is wrong with the record is no matter of the stick.
fn recorded(root: &Path, found: &Found) -> Option<Recorded> {
    let name = record_path(&found.label.node);
    let text = fs::read_to_string(root.join(&name)).ok()?;
    let sticks = read(&Source::file(name, text)).ok()?;
    sticks.into_iter().find(|it| it.id == found.label.stick)
}

fn describe(found: &Found, compared: Option<&Compared>) -> String {
    let label = &found.label;
    let mut text = format!(
        "node         {}\nfleet        {} ({})\n",
        label.node, label.fleet, label.fleet_id
    );
    if label.stick.is_nil() {
        text += "stick        an image\n";
    } else {
        text += &format!("stick        {}\n", label.stick);
    }
    if label.commit.bytes().any(|byte| byte != b'0') {
        text += &format!("commit       {}\n", label.commit);
    }
    if let Some(flashed) = compared.and_then(|it| it.flashed) {
        let days = Moment::now().date().days_from(flashed.date());
        text += &format!(
            "flashed      {flashed}, {} ago\n",
            count(usize::try_from(days).unwrap_or(0), "day")
        );
    }
    if let Some(state) = compared.and_then(|it| it.state) {
        text += &format!("state        {state}\n");
    }
    if found.sector != Sector::Of512 {
        text += &format!("sectors      {} bytes\n", found.sector.bytes());
    }
    text += &format!("config       {}\n", label.config_url);
    let script = label.script_url.as_deref().unwrap_or("on the stick");
    text += &format!("boot script  {script}\n");
    for (path, version) in &label.loaders {
        text += &format!("loader       {path}, iPXE {version}\n");
    }
    for (name, version) in &label.secrets {
        text += &format!("secret       {name}, version {version}\n");
    }
    let sections = [
        ("files for the firmware", &found.efi),
        ("files on the secrets volume", &found.secrets),
    ];
    for (what, files) in sections {
        let _ = writeln!(text, "{what}, in bytes:");
        for (path, size) in files {
            let _ = writeln!(text, "{size:>10}  {path}");
        }
    }
    if let Some(compared) = compared {
        text += match (compared.differences.is_empty(), compared.has_values) {
            (true, true) => "it is what would be written now\n",
            (true, false) => {
                "it is what would be written now, the values of the secrets by their versions alone\n"
            }
            (false, _) => "it is not what would be written now:\n",
        };
        for difference in &compared.differences {
            let _ = writeln!(text, "  {difference}");
        }
    }
    text
}
