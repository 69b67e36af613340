//! The commands that give nodes what they fetch.

use std::path::PathBuf;

use clap::Args;

/// `serve`.
#[derive(Args, Debug)]
pub struct Serve {
    /// Where to listen: an address, a port, or both with `:` between; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Serve the rendered files of this revision; default: of the branch that nodes fetch from, as this clone knows it
    #[arg(long, value_name = "REV", conflicts_with = "live")]
    pub from_git: Option<String>,
    /// Serve the working tree, rendered anew at each request
    #[arg(long)]
    pub live: bool,
    /// Take the releases of the operating system from this folder, and fetch none
    #[arg(long, value_name = "DIR")]
    pub os: Option<PathBuf>,
    /// The folder that keeps what was fetched; default: `ephemeros` in the user's folder for caches
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// How large it may become; what was not used for the longest time goes first
    #[arg(long, value_name = "SIZE", default_value = "10GiB", value_parser = size)]
    pub cache_size: u64,
    /// Serve nothing; write all of it to this folder, for another web server
    #[arg(long, value_name = "DIR", conflicts_with = "listen")]
    pub export: Option<PathBuf>,
}

/// Reads `500MB`, `10GiB` or a number of bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: Option<u64> = match unit.trim_start() {
        "" | "B" => Some(1),
        "KB" => Some(1000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        "TB" => Some(1_000_000_000_000),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    let bytes = number.zip(factor).and_then(|(it, by)| it.checked_mul(by));
    bytes.ok_or_else(|| "write for example `10GiB` or `500MB`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_none() {
        assert_eq!(size("12"), Ok(12));
        assert_eq!(size("10GiB"), Ok(10 << 30));
        assert_eq!(size("500 MB"), Ok(500_000_000));
        for wrong in ["", "GB", "-1", "1.5GB", "1gb", "1 GB more", "99999999TiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
