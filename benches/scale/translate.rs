//! One config after another in one process: parsed, translated, validated and written as JSON.

use std::hint::black_box;
use std::time::Duration;

use ephemeros::butane::{Options, translate};
use ephemeros::source::Source;
use rustix::time::{ClockId, clock_gettime};

use super::measure::middle;

const CONFIG: &str = include_str!("machine.bu");

/// Each round is timed apart: some are slower all the same.
const ROUNDS: usize = 15;

/// How many in a second of one core's time. That is the processor's, the system's too, so that other work on the machine
/// matters little.
pub(crate) fn rate() -> f64 {
    let rates = (0..ROUNDS).map(|_| round(Duration::from_millis(300)));
    middle(rates.collect(), f64::total_cmp).expect("there are rounds")
}

/// The config's length in bytes.
pub(crate) fn length() -> usize {
    CONFIG.len()
}

fn round(time: Duration) -> f64 {
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
