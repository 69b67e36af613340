//! What has to hold for any bytes: no panic, mistakes that stand in the text, and results that read back as the same.

use std::path::Path;
use std::sync::Arc;

use ephemeros::butane::{Options, translate};
use ephemeros::diagnostic::Diagnostic;
use ephemeros::ignition::{self, Config, data_url};
use ephemeros::source::Source;
use ephemeros::yaml;

/// A Butane config, or what looks like one.
pub(crate) fn check_butane(bytes: &[u8], files_dir: &Path) {
    let Ok(text) = yaml::text::decode(bytes) else {
        return;
    };
    let source = Source::file("a.bu", text);
    let options = Options {
        files_dir: Some(files_dir),
        ..Options::default()
    };
    let translation = translate(&source, &options);
    check_places(&translation.diagnostics, &source);
    let failed = translation.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(failed, translation.config.is_none());
    if let Some(config) = translation.config {
        check_config(&config);
        let found = ignition::validate(&config, None);
        assert!(!found.iter().any(Diagnostic::is_error));
    }
}

/// An Ignition config, or what looks like one.
pub(crate) fn check_ignition(bytes: &[u8]) {
    let source = Source::file("a.ign", String::from_utf8_lossy(bytes));
    let (config, found) = Config::parse(&source);
    check_places(&found, &source);
    if let Some(config) = config {
        check_places(&ignition::validate(&config, Some(&source)), &source);
        check_config(&config);
    }
}

/// Contents, and the same bytes as a URL.
pub(crate) fn check_data_url(bytes: &[u8]) {
    for compress in [false, true] {
        let encoded = data_url::encode(bytes, compress);
        let decoded = data_url::decode(&encoded.url);
        let decoded = decoded.expect("what was encoded can be decoded");
        let decoded = if encoded.compressed {
            data_url::gunzip(&decoded, bytes.len()).expect("what was packed can be unpacked")
        } else {
            decoded
        };
        assert!(decoded == bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = data_url::decode(&text);
    let _ = data_url::decode(&format!("data:{text}"));
    let _ = data_url::gunzip(bytes, 1 << 20);
}

/// What is written reads back as the same, and merging it over itself is a config again.
fn check_config(config: &Config) {
    let written = config.to_json();
    let (again, found) = Config::parse(&Source::file("b.ign", written.as_str()));
    assert_eq!(found, [], "{written}");
    let again = again.expect("what was written is a config");
    assert_eq!(again.to_json(), written);
    assert_eq!(ignition::view(&again), ignition::view(config), "{written}");
    let _ = ignition::merge(config.clone(), &again).to_json_pretty();
}

fn check_places(found: &[Diagnostic], source: &Arc<Source>) {
    for label in found.iter().flat_map(|one| &one.labels) {
        if Arc::ptr_eq(&label.source, source) {
            let place = source.text.get(label.span.clone());
            assert!(place.is_some(), "{:?} in {:?}", label.span, source.text);
        }
    }
}
