//! How many configs of 6 KB are translated in a second, on one core: `cargo bench --bench translate`.
//! Each is parsed, translated, validated and written as JSON.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ephemeros::butane::{Options, translate};
use ephemeros::source::Source;

const CONFIG: &str = include_str!("machine.bu");

/// Each round is timed apart, since other work on the machine slows some of them.
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
    let start = Instant::now();
    let mut done = 0_u32;
    while start.elapsed() < time {
        let source = Source::file("machine.bu", black_box(CONFIG));
        let translation = translate(&source, &Options::default());
        let config = translation.config.map(|config| config.to_json());
        assert!(black_box(config).is_some(), "it translates");
        done += 1;
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}
