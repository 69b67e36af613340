//! The script on the stick: it brings up the network and hands over to the body in git, or, where git fails, to the
//! copy of the body that follows in the same file.
//!
//! The copy is no file of its own: an iPXE that drives the USB controller itself, as 2.0 does, has taken the stick
//! away from the firmware by then, and `file:` finds nothing (seen with Debian's 2.0.0 and a drive behind xHCI). A
//! BIOS loader gets one file at all.

mod inline;
mod network;
mod own_config;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use network::{Address, Network};
pub use own_config::OwnConfig;

use inline::inline;

/// What the script is told.
#[derive(Clone, Debug)]
pub struct Prologue<'a> {
    /// The node's name.
    pub node: &'a str,
    /// Where the node's config is.
    pub config_url: &'a str,
    /// Where the body is in git; `None` where only the copy counts.
    pub script_url: Option<&'a str>,
    /// The body.
    pub body: &'a str,
    /// How it gets onto the network.
    pub network: Network,
    /// Who knows what time it is, where DHCP names nobody; `None` where no loader on the stick can ask.
    pub time_server: Option<&'a str>,
    /// What it boots by where the server has neither script nor config; `None` where the system or a loader can't.
    pub own_config: Option<OwnConfig<'a>>,
}

/// How long a server may say nothing, in milliseconds.
const TIMEOUT: u32 = 20_000;

/// How long it waits before it tries again: at first, how much longer each time, and at the most. In seconds.
const WAIT: (u32, u32, u32) = (5, 5, 60);

impl Prologue<'_> {
    /// The text of `autoexec.ipxe`.
    #[must_use]
    pub fn write(&self) -> String {
        let own = own_names(self.body);
        let own_boots = self.own_boots(&own);
        let own_config = self.own_config.filter(|_| !own_boots.is_empty());
        let take_own = own_config.map_or_else(String::new, |config| config.fetch(&own));
        let hand_over = self.hand_over(&own, own_config.is_some(), &own_boots);
        let copy = inline(self.body, &format!("{own}_failed"));
        [
            self.begin(&own),
            format!(":{own}_start\nimgfree\n{take_own}"),
            self.network.bring_up(&own),
            self.set_clock(&own),
            hand_over,
            format!("\n:{own}_no_network\n{}", self.network.say_failure(&own)),
            try_again(&own),
            format!(
                "\n\
                 # The boot script as it was when this stick was made. Its ends lead back up.\n\
                 :{own}_copy\n\
                 imgfree\n\
                 {copy}\
                 goto {own}_failed\n"
            ),
        ]
        .concat()
    }

    fn begin(&self, own: &str) -> String {
        let Self {
            node, config_url, ..
        } = self;
        let script_url = self
            .script_url
            .map_or_else(String::new, |url| format!("set script-url {url}\n"));
        let dns = self.network.set_dns();
        let (first, _, _) = WAIT;
        format!(
            "#!ipxe\n\
             \n\
             # Made by ephemeros for this stick. It fetches the boot script, which says what to boot.\n\
             set node {node}\n\
             set config-url {config_url}\n\
             {script_url}\
             {dns}\
             set {own}_wait:int16 {first}\n\
             \n\
             echo\n\
             echo Ephemeros: the stick of ${{node}}\n"
        )
    }

    /// iPXE needs the time for nothing but certificates.
    fn set_clock(&self, own: &str) -> String {
        let urls = [self.script_url.unwrap_or_default(), self.body];
        let server = self.time_server;
        let Some(server) = server.filter(|_| urls.iter().any(|it| it.contains("https:"))) else {
            return String::new();
        };
        format!(
            "set {own}_clock ${{42:ipv4}}\n\
             isset ${{{own}_clock}} || set {own}_clock {server}\n\
             echo Ephemeros: asking ${{{own}_clock}} for the time\n\
             ntp ${{{own}_clock}} || echo Ephemeros: it does not tell; HTTPS fails where the machine's clock is wrong\n"
        )
    }

    fn hand_over(&self, own: &str, has_config: bool, own_boots: &str) -> String {
        if self.script_url.is_none() {
            return format!(
                "echo Ephemeros: starting the boot script on this stick\n\
                 goto {own}_copy\n"
            );
        }
        let drop_config = if has_config {
            format!("iseq ${{{own}_config}} 1 && imgfree {own}_config ||\n")
        } else {
            String::new()
        };
        // iPXE's word is no proof of an HTTPS server being down: Linux knows more of certificates.
        let without_config = if self.config_url.starts_with("https:") {
            format!(
                "echo Ephemeros: now the copy on this stick\n\
                 goto {own}_copy\n"
            )
        } else {
            format!("goto {own}_again\n")
        };
        let start_own = if has_config {
            format!(
                "iseq ${{{own}_config}} 1 || goto {own}_unread\n\
                 echo Ephemeros: now the script and the config on this stick, as they were when it was made\n\
                 {own_boots}\
                 goto {own}_failed\n\
                 :{own}_unread\n"
            )
        } else {
            String::new()
        };
        format!(
            "echo Ephemeros: fetching the boot script from ${{script-url}}\n\
             imgfetch --name {own}_script --timeout {TIMEOUT} ${{script-url}} || goto {own}_no_script\n\
             {drop_config}\
             chain --autofree {own}_script ||\n\
             echo Ephemeros: nothing that it names can be had.\n\
             echo Ephemeros: now the copy on this stick\n\
             goto {own}_copy\n\
             \n\
             :{own}_no_script\n\
             echo Ephemeros: it can't be had. Is its server up, and is everything pushed?\n\
             echo Ephemeros: asking for the config at ${{config-url}}\n\
             imgfetch --name {own}_answer --timeout {TIMEOUT} ${{config-url}} || goto {own}_no_config\n\
             echo Ephemeros: now the copy on this stick\n\
             goto {own}_copy\n\
             \n\
             :{own}_no_config\n\
             echo Ephemeros: it can't be had, either.\n\
             {start_own}\
             echo Ephemeros: this machine can't take the config that is on its stick.\n\
             {without_config}"
        )
    }

    fn own_boots(&self, own: &str) -> String {
        let (Some(script_url), Some(_)) = (self.script_url, self.own_config) else {
            return String::new();
        };
        let settings = [
            ("node", self.node),
            ("config-url", self.config_url),
            ("script-url", script_url),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        own_config::boots(self.body, &BTreeMap::from(settings), own)
    }
}

/// All ends lead here. A key ends the wait; nobody has to press one.
fn try_again(own: &str) -> String {
    let (_, longer, longest) = WAIT;
    // Where there is no `prompt`, or a key is stuck, it sleeps nevertheless.
    format!(
        "goto {own}_again\n\
         \n\
         :{own}_failed\n\
         echo Ephemeros: nothing booted. Are the addresses above reachable from here?\n\
         :{own}_again\n\
         echo Ephemeros: trying again in ${{{own}_wait}} s\n\
         echo Ephemeros: s gives you a shell, which `exit` leaves; any other key tries at once\n\
         prompt --key s --timeout ${{{own}_wait}}000 && shell ||\n\
         sleep 1\n\
         iseq ${{{own}_wait}} {longest} || inc {own}_wait {longer}\n\
         goto {own}_start\n"
    )
}

/// What the names of our labels and settings begin with: nothing that stands in the body.
fn own_names(body: &str) -> String {
    let mut own = "stick".to_owned();
    while body.contains(&format!("{own}_")) {
        own.push('_');
    }
    own
}
