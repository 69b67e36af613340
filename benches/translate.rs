//! How many configs of 6 KB are translated in a second of one core's time: `cargo bench --bench translate`.
//! Each is parsed, translated, validated and written as JSON. Processor time is counted, the system's too, so that
//! other work on the machine matters little.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Duration;

use ephemeros::butane::{Options, translate};
use ephemeros::source::Source;
use rustix::time::{ClockId, clock_gettime};

const CONFIG: &str = include_str!("machine.bu");

/// Each round is timed apart: some are slower all the same.
const ROUNDS: usize = 15;

fn main() {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| rate(Duration::from_millis(300)))
        .collect();
    rates.sort_by(f64::total_cmp);
    println!(
        "{} bytes: {:.0} configs a second (median of {ROUNDS}; best {:.0}, worst {:.0})",
        CONFIG.len(),
        rates[ROUNDS / 2],
        rates[ROUNDS - 1],
        rates[0]
    );
}

fn rate(time: Duration) -> f64 {
    let start = processor_time();
    let mut done = 0_u32;
    loop {
        let source = Source::file("machine.bu", black_box(CONFIG));
        let translation = translate(&source, &Options::default());
        let config = translation.config.map(|config| config.to_json());
        assert!(black_box(config).is_some(), "it translates");
        done += 1;
        let taken = processor_time().saturating_sub(start);
        if taken > time {
            return f64::from(done) / taken.as_secs_f64();
        }
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
