//! What `serve` says: where it listens, who asked for what, and what it could not give.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::count;
use crate::diagnostic::{Folded, fold, printable};
use crate::site::{Access, Exported, Trouble};
use crate::stick::record::Moment;
use crate::ui::Ui;

/// Says what is served where, and how nodes are told.
pub(super) fn begin(ui: &Ui, name: &str, own: SocketAddr) -> io::Result<()> {
    let base = format!("http://{}", reachable(own));
    let (raw_url, mirror) = (format!("{base}/{{{{ path }}}}"), format!("{base}/os"));
    if ui.json() {
        let text = json!({
            "format": 1, "serving": name, "url": format!("{base}/"), "raw_url": raw_url, "mirror": mirror,
        });
        return ui.result(&format!("{text}\n"));
    }
    ui.result(&format!("serving {name} at {base}/\n"))?;
    ui.say(&format!(
        "sticks fetch here when they are made with EPHEMEROS_RAW_URL='{raw_url}', or with this in fleet.toml:\n\
         [git]\nraw_url = \"{raw_url}\"\n[os]\nmirrors = [\"{mirror}\"]"
    ));
    if own.ip().is_loopback() {
        ui.say(&format!(
            "note: only this machine can ask; `--listen 0.0.0.0:{}` serves the network",
            own.port()
        ));
    }
    Ok(())
}

/// The address by which others reach a server that listens at all of this machine's.
fn reachable(own: SocketAddr) -> SocketAddr {
    if !own.ip().is_unspecified() {
        return own;
    }
    // Nothing is sent: the system only says which way it would go. Both are addresses for documentation.
    let (any, far) = match own.ip() {
        IpAddr::V4(_) => ("0.0.0.0:0", "192.0.2.1:9"),
        IpAddr::V6(_) => ("[::]:0", "[2001:db8::1]:9"),
    };
    let found = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(far)?;
        socket.local_addr()
    });
    found.map_or(own, |found| SocketAddr::new(found.ip(), own.port()))
}

/// The log of what was asked for.
pub(super) struct Log<'a> {
    ui: &'a Ui,
    /// What was told last. Nodes come again every few seconds, and nothing new is wrong then.
    told: Mutex<String>,
}

impl<'a> Log<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self {
            ui,
            told: Mutex::default(),
        }
    }

    /// One request: a line, and what was wrong where it is something new.
    pub(super) fn write(&self, access: &Access) -> io::Result<()> {
        // One after the other, so that a line stands beside its reason.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ui.json() {
            return self.ui.stream(format!("{}\n", to_json(access)).as_bytes());
        }
        self.ui.stream(to_line(access).as_bytes())?;
        if let Some(trouble) = access.trouble {
            let text = format!("{trouble:?}");
            if *told != text {
                self.tell(trouble);
                *told = text;
            }
        } else if access.status < 300 {
            told.clear();
        }
        Ok(())
    }

    fn tell(&self, trouble: &Trouble) {
        if trouble.status == 503 {
            self.ui.say(&trouble.message);
            return;
        }
        if trouble.mistakes.is_empty() {
            self.ui.error(&trouble.message, trouble.help.as_deref());
        } else {
            self.ui.mistakes(trouble.mistakes.clone());
        }
    }
}

fn to_line(access: &Access) -> String {
    let method = match access.method {
        "" => "-",
        method => method,
    };
    let target = match access.target {
        "" => "-".to_owned(),
        target => printable(target),
    };
    let cut = if access.complete { "" } else { " cut off" };
    format!(
        "{} {} {method} {target} {} {}{cut}\n",
        Moment::now(),
        access.who.ip(),
        access.status,
        access.bytes
    )
}

fn to_json(access: &Access) -> serde_json::Value {
    let trouble = access.trouble;
    let mistakes = trouble.map_or_else(Vec::new, |it| fold(it.mistakes.clone()));
    let mistakes: Vec<_> = mistakes.iter().map(Folded::to_json).collect();
    json!({
        "format": 1,
        "time": Moment::now().to_string(),
        "client": access.who.to_string(),
        "method": access.method,
        "target": access.target,
        "status": access.status,
        "bytes": access.bytes,
        "complete": access.complete,
        "milliseconds": u64::try_from(access.took.as_millis()).unwrap_or(u64::MAX),
        "error": trouble.map(|it| &it.message),
        "mistakes": mistakes,
    })
}

/// Says what an export wrote.
pub(super) fn exported(ui: &Ui, to: &Path, exported: &Exported) -> io::Result<()> {
    let Exported {
        written,
        kept,
        leftover,
    } = exported;
    if ui.json() {
        let text = json!({
            "format": 1, "written": written, "kept": kept, "leftover": leftover,
        });
        return ui.result(&format!("{text:#}\n"));
    }
    for path in written {
        ui.result(&format!("wrote {}\n", to.join(path).display()))?;
    }
    ui.say(&format!(
        "{} written, {} as they were",
        count(written.len(), "file"),
        kept.len()
    ));
    for path in leftover {
        let path = to.join(path);
        ui.say(&format!(
            "note: {} is of no node: remove it, or a machine can still fetch it",
            path.display()
        ));
    }
    Ok(())
}
