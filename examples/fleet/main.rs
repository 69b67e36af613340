//! Makes a fleet as large as you like, as a git repository with one commit: six roles, twelve templates, each machine
//! with variables and five encrypted secrets of its own, one in ten with a template or a file of its own; rendered.
//!
//! ```text
//! cargo run --release --example fleet -- 1000 /tmp/fleet --seed 7
//! ephemeros -C /tmp/fleet plan
//! ```
//!
//! The same seed and number give the same fleet, byte for byte but for the ciphertexts: encryption is random. What is
//! rendered does not depend on them. Only a public key is needed; `tests/identity/demo.age.key` opens the secrets.
#![expect(clippy::print_stderr, reason = "an example talks to whoever runs it")]

// So its own modules are found beside it here too.
#[path = "generate.rs"]
mod generate;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use generate::generate;

/// Makes a fleet for tests and benchmarks
#[derive(Parser)]
#[command(name = "fleet")]
struct Arguments {
    /// How many machines
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    machines: u32,
    /// Where: a folder that is empty or not there yet
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The same seed gives the same fleet
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Where the output is closed nobody reads the help.
            let _ = error.print();
            // As `sysexits.h` numbers wrong usage.
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    let begin = Instant::now();
    let tell = |what: &str| eprintln!("{:7.2} s  {what}", begin.elapsed().as_secs_f64());
    match generate(arguments.machines, arguments.seed, &arguments.folder, tell) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
