//! `init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `init`.
#[derive(Args, Debug)]
pub struct Init {
    /// The folder, made where there is none; default: this one
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// What the first node is called
    #[arg(long, value_name = "NAME", default_value = "node1")]
    pub node: String,
    /// Write pipelines for these forges too
    #[arg(long, value_enum, value_name = "FORGE", value_delimiter = ',')]
    pub ci: Vec<Ci>,
}

/// A forge that runs pipelines.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
    /// Forgejo Actions, on Codeberg for example
    Forgejo,
}
