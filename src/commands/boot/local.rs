//! The local server: what it is told of the fleet, and how the fleet is turned to it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::rand::{GetRandomFlags, getrandom};

use super::hardware::simplify;
use crate::boot::Lan;
use crate::commands::Failure;
use crate::fleet::node::{Fleet, Node, in_repository};
use crate::os::Arch;
use crate::progress::Progress as _;
use crate::render::hex;
use crate::render::rendered::{ignition_path, script_path};
use crate::site::mirror::artifact_path;
use crate::site::{Mirror, Trouble};
use crate::ui::Ui;

/// Where a machine finds the server, and what it is called there.
#[derive(Clone)]
pub(super) struct Local {
    /// The base of all URLs, as the machine has them.
    pub(super) url: String,
    /// The path that takes the node's reports: nobody else on this computer knows it.
    pub(super) inbox: String,
    pub(super) node: String,
    /// Where the fleet is.
    pub(super) root: PathBuf,
    pub(super) prefix: String,
    /// Whether the kernel's messages go to a serial port, whatever the fleet says.
    console: Option<&'static str>,
}

/// A port of the loopback that is the server's.
pub(super) fn listen() -> Result<(TcpListener, u16), Failure> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr().map(|own| (listener, own.port())));
    bound.map_err(|error| Failure::problem(format!("can't listen: {error}"), None))
}

impl Local {
    pub(super) fn new(
        fleet: &Fleet,
        node: &Node,
        lan: &Lan,
        has_screen: bool,
    ) -> Result<Self, Failure> {
        let mut random = [0; 16];
        getrandom(&mut random, GetRandomFlags::empty())
            .map_err(|error| Failure::problem(format!("no random numbers: {error}"), None))?;
        let console = match node.os.release.arch {
            Arch::Amd64 => "console=ttyS0,115200n8",
            Arch::Arm64 => "console=ttyAMA0",
        };
        Ok(Self {
            url: format!("http://{}", lan.server),
            inbox: format!("report/{}", hex(&random)),
            node: node.name.clone(),
            root: fleet.root.clone(),
            prefix: fleet.prefix.clone(),
            console: (!has_screen).then_some(console),
        })
    }

    /// The template of the URLs of rendered files.
    pub(super) fn raw_url(&self) -> String {
        format!("{}/{{{{ path }}}}", self.url)
    }

    /// The path of the node's config on the server.
    pub(super) fn config(&self) -> String {
        in_repository(&self.prefix, &ignition_path(&self.node))
    }

    /// The path of its boot script.
    pub(super) fn script(&self) -> String {
        in_repository(&self.prefix, &script_path(&self.node))
    }

    /// Has a fleet's nodes fetch here all that they fetch.
    pub(super) fn turn(&self, fleet: &mut Fleet) {
        fleet.git.raw_url = Some(self.raw_url());
        fleet.git.url = None;
        for node in &mut fleet.nodes {
            let arch = node.os.release.arch.name();
            let os = Arc::make_mut(&mut node.os);
            os.mirrors = vec![format!("{}/os", self.url)];
            for (name, artifact) in Arc::make_mut(&mut node.artifacts) {
                artifact.url = self.artifact(name, arch);
            }
            simplify(&mut node.network);
            let name = self.console.map(|it| it.split(',').next().unwrap_or(it));
            let has = |arg: &String| name.is_some_and(|name| arg.starts_with(name));
            if let Some(console) = self.console
                && !os.kernel_args.iter().any(has)
            {
                os.kernel_args.push(console.to_owned());
            }
        }
    }

    fn artifact(&self, name: &str, arch: &str) -> String {
        format!("{}/{}", self.url, artifact_path(name, arch))
    }

    /// Sees to it that all that the node with this config boots from is there, before it is switched on.
    pub(super) fn fetch(
        &self,
        node: &Node,
        config: &str,
        mirror: &Mirror,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let release = &node.os.release;
        let base = release.base_on("os");
        let files = release.files();
        let names = files.all();
        let mut paths: Vec<String> = names.map(|name| format!("{base}/{name}")).collect();
        let arch = release.arch.name();
        let is_used = |name: &&String| config.contains(&self.artifact(name, arch));
        let used = node.artifacts.keys().filter(is_used);
        paths.extend(used.map(|name| artifact_path(name, arch)));
        for path in paths {
            if mirror
                .fetch(&path, ui)
                .map_err(|it| Self::why(it, &path, ui))?
                .is_none()
            {
                return Err(Failure::problem(
                    format!("the fleet names no {path}"),
                    Some("save its files, and run it again"),
                ));
            }
        }
        Ok(())
    }

    fn why(trouble: Trouble, path: &str, ui: &Ui) -> Failure {
        if !trouble.mistakes.is_empty() || ui.stopped() {
            return (trouble, ui).into();
        }
        let other = if path.starts_with("os/") {
            "name a folder with the files of the release with `--os DIR`".to_owned()
        } else {
            format!("put the file into a folder as `{path}`, and name that with `--os DIR`")
        };
        Failure::Problem {
            message: format!("{path}: {}", trouble.message),
            help: Some(trouble.help.unwrap_or(other)),
        }
    }
}
