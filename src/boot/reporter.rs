//! What a booted node says of itself: a unit that is merged into the config that the local server gives, and never into one
//! that is written.

use std::collections::BTreeMap;

use serde_json::json;

use crate::ignition::{Config, data_url, merge};
use crate::source::Source;

/// Where its script stands on the node.
const SCRIPT: &str = "/etc/ephemeros-boot-report";

/// The unit.
const UNIT: &str = "ephemeros-boot-report.service";

/// The most that a report may hold, in bytes.
pub const LIMIT: usize = 64 * 1024;

/// How many lines of a report are kept of each kind.
const MOST: usize = 20;

/// A config with the reporter, which posts to `url`; `None` where the config can't be read.
#[must_use]
pub fn add(ignition: &str, url: &str) -> Option<String> {
    let read = |name: &str, text: String| Config::parse(&Source::rendered(name, text, "boot")).0;
    let parent = read("the config", ignition.to_owned())?;
    let child = read("the reporter", config(url))?;
    Some(merge(parent, &child).to_json())
}

fn config(url: &str) -> String {
    let script = data_url::encode(script(url).as_bytes(), false).url;
    let file = json!({
        "path": SCRIPT, "mode": 0o755, "overwrite": true, "contents": { "source": script },
    });
    let contents = format!(
        "[Unit]\n\
         Description=Report to ephemeros boot\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         \n\
         [Service]\n\
         ExecStart=/bin/sh {SCRIPT}\n\
         Restart=always\n\
         RestartSec=2s\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    );
    let unit = json!({ "name": UNIT, "enabled": true, "contents": contents });
    let config = json!({
        "ignition": { "version": "3.0.0" },
        "storage": { "files": [file] },
        "systemd": { "units": [unit] },
    });
    config.to_string()
}

/// It goes on for as long as the machine runs: a unit may fail late.
fn script(url: &str) -> String {
    format!(
        "#!/bin/sh\n\
         report() {{\n\
         echo \"state $(systemctl is-system-running)\"\n\
         systemctl list-jobs --no-legend --plain | while read -r _ unit what state; do echo \"job $unit $what $state\"; done\n\
         systemctl list-units --failed --no-legend --plain | while read -r unit _; do\n\
         echo \"failed $unit\"\n\
         journalctl --boot --unit \"$unit\" --lines 8 --output cat --no-pager | sed \"s/^/log $unit /\"\n\
         done\n\
         journalctl --boot JOB_RESULT=dependency JOB_RESULT=timeout --lines 20 --output cat --no-pager | sed 's/^/lost /'\n\
         }}\n\
         while :; do\n\
         report | curl --silent --output /dev/null --max-time 20 --data-binary @- {url}\n\
         sleep 2\n\
         done\n"
    )
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What systemd says of the system: `starting`, `running`, `degraded`.
    pub state: String,
    /// Units that systemd still works at.
    pub jobs: Vec<String>,
    /// Units that failed, with the last lines of their logs.
    pub failed: BTreeMap<String, Vec<String>>,
    /// What was not started, since something that it needs did not come.
    pub lost: Vec<String>,
}

impl Report {
    /// Reads what came from a machine, whatever it is.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut report = Self::default();
        for line in String::from_utf8_lossy(bytes).lines() {
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            let unit = || rest.split(' ').next().unwrap_or_default().to_owned();
            match kind {
                "state" => rest.clone_into(&mut report.state),
                "job" if rest.contains(" running") && report.jobs.len() < MOST => {
                    report.jobs.push(unit());
                }
                "failed" if report.failed.len() < MOST => {
                    report.failed.entry(unit()).or_default();
                }
                "log" => {
                    if let Some(lines) = report.failed.get_mut(&unit())
                        && let Some((_, said)) = rest.split_once(' ')
                        && lines.len() < MOST
                    {
                        lines.push(said.to_owned());
                    }
                }
                "lost" if report.lost.len() < MOST => report.lost.push(rest.to_owned()),
                _ => {}
            }
        }
        report.jobs.retain(|unit| unit != UNIT);
        report
    }

    /// Whether systemd has done all that it was told to.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !matches!(self.state.as_str(), "" | "initializing" | "starting")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_and_what_is_none_is_passed_over() {
        let text = "state degraded\njob k3s.service start running\njob b.service start waiting\n\
                    failed a.service\nlog a.service Main process exited, code=exited\nlog a.service second\n\
                    log c.service of nobody\nlost Dependency failed for k3s.service - Kubernetes server.\n\
                    nonsense\n\u{fffd}\n";
        let report = Report::read(text.as_bytes());
        assert_eq!(report.state, "degraded");
        assert_eq!(report.jobs, ["k3s.service"]);
        let logs = ["Main process exited, code=exited", "second"];
        assert_eq!(report.failed["a.service"], logs);
        assert_eq!(report.failed.len(), 1);
        assert!(report.lost[0].starts_with("Dependency failed for k3s"));
        assert!(report.is_settled());
        assert!(!Report::read(b"").is_settled());
        assert!(!Report::read(b"state starting").is_settled());
    }

    #[test]
    fn the_reporter_is_added_to_what_a_config_has() {
        let config = r#"{"ignition":{"version":"3.3.0"},"systemd":{"units":[{"name":"a.service","enabled":true}]}}"#;
        let with = add(config, "http://10.0.2.100/x").expect("it is a config");
        let value: serde_json::Value = serde_json::from_str(&with).expect("it is JSON");
        assert_eq!(value["ignition"]["version"], "3.3.0");
        let names = [0, 1].map(|at| value["systemd"]["units"][at]["name"].clone());
        assert_eq!(names, ["a.service", UNIT]);
        assert_eq!(value["storage"]["files"][0]["path"], SCRIPT);
        assert_eq!(add("nonsense", "http://10.0.2.100/x"), None);
    }
}
