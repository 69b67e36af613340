//! What Ignition says on the console, in words that tell what to look for.

/// What it has said so far.
#[derive(Default)]
pub(super) struct IgnitionLog {
    stage: String,
    /// What it asked for last, and how often.
    url: String,
    attempt: u32,
    /// What it was answered.
    answer: String,
    /// What is wrong in the config, and where.
    mistake: Option<String>,
    /// The file or unit that it could not write, and why.
    failed: Option<String>,
    is_over: bool,
}

/// What is new.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It asks a server for the third time.
    Waits(String),
    /// It will not get any further, though it goes on asking.
    InVain(String),
    /// All stages that change something are done.
    Done,
    /// It failed, and why.
    Failed(String),
}

/// After how many tries a server is told to say nothing, and to be given up: by then Ignition has asked for 3 and for 20
/// seconds. It never gives up by itself.
const TRIES: (u32, u32) = (4, 9);

impl IgnitionLog {
    /// Heeds a line of the console.
    pub(super) fn take(&mut self, line: &str) -> Option<News> {
        let said = message(line)?;
        if let Some(stage) = said.strip_prefix("Stage: ") {
            stage.clone_into(&mut self.stage);
        }
        // Inside of an operation: `files: createFiles: op(1): GET …`.
        let last = said.rfind("GET ").map_or(said, |at| &said[at..]);
        if let Some((url, number)) = asked(last) {
            url.clone_into(&mut self.url);
            self.attempt = number;
            return self.waits();
        }
        if let Some(answer) = last.strip_prefix("GET result: ") {
            answer.clone_into(&mut self.answer);
        }
        if let Some(error) = last.strip_prefix("GET error: ") {
            // `Get "URL": why`
            let why = error.split_once("\": ").map_or(error, |(_, why)| why);
            why.clone_into(&mut self.answer);
        }
        if said.starts_with("error at ") {
            self.mistake.get_or_insert_with(|| said.to_owned());
        }
        if let Some((_, failed)) = said.split_once("[failed]") {
            self.failed.get_or_insert_with(|| failed.trim().to_owned());
        }
        if let Some(why) = said.strip_prefix("Ignition failed: ") {
            let is_first = !std::mem::replace(&mut self.is_over, true);
            return is_first.then(|| News::Failed(self.reason(why)));
        }
        let is_done = said == "Ignition finished successfully" && self.stage == "files";
        (is_done && !std::mem::replace(&mut self.is_over, true)).then_some(News::Done)
    }

    fn waits(&self) -> Option<News> {
        let (url, answer) = (&self.url, &self.answer);
        let (soon, late) = TRIES;
        match self.attempt {
            it if it == soon => Some(News::Waits(format!("{url} does not answer ({answer})"))),
            it if it == late => Some(News::InVain(format!(
                "Ignition gets nothing from {url}: {answer}"
            ))),
            _ => None,
        }
    }

    fn reason(&self, why: &str) -> String {
        let url = &self.url;
        if let Some(failed) = &self.failed {
            return match failed.split_once(": hash verification failed") {
                Some((what, _)) => {
                    format!("{what}: what {url} gives is not what its hash in the config names")
                }
                None if failed.ends_with("resource not found") => {
                    format!("{failed}: {url}")
                }
                None => failed.clone(),
            };
        }
        match why {
            "resource not found" => format!("{url} is not there: {}", self.answer),
            "config is not valid" => match &self.mistake {
                Some(mistake) => format!("{url} is no config: {mistake}"),
                None => format!("{url} is no config"),
            },
            "unsupported config version" => {
                format!("{url} is written for a newer Ignition than this system has")
            }
            _ => why.to_owned(),
        }
    }
}

/// What Ignition says in a line, without what stands before it on a console: time, name, and how grave it is.
fn message(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("ignition[")?;
    let (_, said) = rest.split_once("]: ")?;
    let grave = said.split_once(": ").filter(|(level, _)| {
        let level = level.trim_end();
        !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_uppercase())
    });
    Some(grave.map_or(said, |(_, rest)| rest).trim())
}

/// The URL and the number in `GET URL: attempt #N`.
fn asked(text: &str) -> Option<(&str, u32)> {
    let (url, number) = text.strip_prefix("GET ")?.split_once(": attempt #")?;
    Some((url, number.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Ignition 2.14 printed, with the name that systemd's journal puts in front.
    fn read(log: &str) -> Vec<News> {
        let mut ignition = IgnitionLog::default();
        let lines = log
            .lines()
            .map(|line| format!("[   12.3] ignition[643]: {line}"));
        lines.filter_map(|line| ignition.take(&line)).collect()
    }

    fn failure(log: &str) -> String {
        let mut news = read(log);
        match (news.pop(), news.is_empty()) {
            (Some(News::Failed(why)), true) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_config_that_is_not_there() {
        let why = failure(
            "INFO     : Stage: fetch\n\
             INFO     : GET http://10.0.2.100/ignition/n1.ign: attempt #1\n\
             INFO     : GET result: Not Found\n\
             WARNING  : failed to fetch config: resource not found\n\
             CRITICAL : failed to acquire config: resource not found\n\
             CRITICAL : Ignition failed: resource not found\n\
             INFO     : Stage: files\n\
             CRITICAL : Ignition failed: open /run/ignition.json: no such file or directory\n",
        );
        assert_eq!(
            why,
            "http://10.0.2.100/ignition/n1.ign is not there: Not Found"
        );
    }

    #[test]
    fn a_config_that_is_broken_is_told_with_its_place() {
        let why = failure(
            "INFO     : GET http://a/n1.ign: attempt #1\n\
             INFO     : GET result: OK\n\
             CRITICAL : error at $.storage.files.0.path, line 1 col 61: path not absolute\n\
             WARNING  : failed to fetch config: config is not valid\n\
             CRITICAL : Ignition failed: config is not valid\n",
        );
        assert_eq!(
            why,
            "http://a/n1.ign is no config: error at $.storage.files.0.path, line 1 col 61: path not absolute"
        );
        let why = failure(
            "INFO     : GET http://a/n1.ign: attempt #1\n\
             CRITICAL : Ignition failed: unsupported config version\n",
        );
        assert!(why.contains("newer Ignition"), "{why}");
    }

    #[test]
    fn a_file_that_can_t_be_had_is_told_with_its_url() {
        let begin = "INFO     : Stage: files\n\
             INFO     : files: createFiles: op(1): [started]  writing file \"/opt/bin/k3s\"\n\
             INFO     : files: createFiles: op(1): GET http://a/k3s: attempt #1\n";
        let end = "files failed\n\
             CRITICAL : Ignition failed: failed to create files: failed to create files: error creating /opt/bin/k3s\n";
        let why = failure(&format!(
            "{begin}INFO     : files: createFiles: op(1): GET result: Not Found\n\
             CRITICAL : files: createFiles: op(1): [failed]   writing file \"/opt/bin/k3s\": resource not found\n{end}"
        ));
        assert_eq!(
            why,
            "writing file \"/opt/bin/k3s\": resource not found: http://a/k3s"
        );
        let why = failure(&format!(
            "{begin}CRITICAL : files: createFiles: op(1): [failed]   writing file \"/opt/bin/k3s\": hash verification \
             failed (calculated bb6d but expected 0000)\n{end}"
        ));
        assert_eq!(
            why,
            "writing file \"/opt/bin/k3s\": what http://a/k3s gives is not what its hash in the config names"
        );
    }

    #[test]
    fn a_server_that_does_not_answer_is_given_up_before_ignition_does() {
        let asked = |number| {
            format!(
                "INFO     : GET http://a/x: attempt #{number}\n\
                 INFO     : GET error: Get \"http://a/x\": dial tcp 10.0.0.1:80: connect: connection refused\n"
            )
        };
        let log: Vec<String> = (1..12).map(asked).collect();
        let why = "dial tcp 10.0.0.1:80: connect: connection refused";
        assert_eq!(
            read(&log.concat()),
            [
                News::Waits(format!("http://a/x does not answer ({why})")),
                News::InVain(format!("Ignition gets nothing from http://a/x: {why}")),
            ]
        );
    }

    #[test]
    fn it_is_done_with_its_files() {
        let log = "Stage: fetch\nIgnition finished successfully\nStage: files\nfiles: files passed\n\
                   Ignition finished successfully\nStage: umount\nIgnition finished successfully\n";
        assert_eq!(read(log), [News::Done]);
    }
}
