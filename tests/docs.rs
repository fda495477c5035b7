//! Keeps the documents true: tables match the workspace, and samples are valid.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use checkup::config::Format;
use serde_json::Value;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the first cell of each table row, without backquotes.
fn first_cells(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| line.trim_start_matches("//!").trim().strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`')).map(|(cell, _)| cell.to_owned()).collect()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn the_crate_table_of_the_architecture_is_the_workspace() {
    let members: BTreeSet<_> = packages().iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(first_cells(&text("ARCHITECTURE.md")), members);
}

#[test]
fn the_feature_table_of_the_facade_is_its_features() {
    let packages = packages();
    let facade = packages.iter().find(|package| package["name"] == "checkup-rs").unwrap();
    let features = facade["features"].as_object().unwrap();
    let source = text("src/lib.rs");
    let table: String = source.lines().filter(|line| line.starts_with("//! | `")).collect::<Vec<_>>().join("\n");
    let documented = first_cells(&table);
    let existing: BTreeSet<_> = features.keys().filter(|name| *name != "default").cloned().collect();
    assert_eq!(documented, existing);
    for feature in &existing {
        let row = table.lines().find(|line| line.contains(&format!("| `{feature}` |"))).unwrap();
        let default = features["default"].as_array().unwrap().contains(&Value::from(feature.as_str()));
        assert_eq!(row.contains("| yes |"), default, "{row}");
    }
}

#[test]
fn dependencies_types_in_the_api_are_exactly_those_listed() {
    let contributing = text("CONTRIBUTING.md");
    // Cells: where, what, why.
    let rows: Vec<Vec<_>> = contributing.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    let listed = |krate: &str, dependency: &str| {
        let here = |place: &str| ["everywhere", "`config`"].contains(&place) || place == format!("`{krate}`");
        rows.iter().any(|cells| cells.len() == 5 && here(cells[1]) && cells[2].contains(dependency))
    };
    let published = packages().into_iter().filter(|package| package["publish"].is_null());
    for package in published {
        let krate = package["name"].as_str().unwrap();
        let api = text(&format!("docs/api/{krate}.txt"));
        let paths = api
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .filter_map(|path| path.split_once("::"));
        let roots: BTreeSet<_> =
            paths.map(|(root, _)| root).filter(|root| root.starts_with(char::is_lowercase)).collect();
        for root in roots.iter().filter(|root| !["alloc", "core", "std"].contains(root) && !root.starts_with("checkup"))
        {
            let dependency = root.trim_end_matches("_core").trim_end_matches("_pki_types");
            assert!(
                listed(krate, dependency),
                "{krate} shows types of {root}: hide them, or list them with the reason"
            );
        }
    }
}

#[test]
fn every_config_in_the_documents_is_valid() {
    let mut found = 0;
    for document in documents() {
        for (language, sample) in samples(&text(&document)) {
            let format = match language.as_str() {
                "json" => Format::Json,
                "yaml" => Format::Yaml,
                "toml" if sample.contains("[[checkers]]") => Format::Toml,
                _ => continue,
            };
            found += 1;
            let parsed = checkup::default_registry().parse_with(&sample, format, |name| Some(variable(name)));
            assert!(parsed.is_ok(), "{document}: {}\n{sample}", parsed.unwrap_err());
        }
    }
    assert!(found > 1, "the documents show configs");
}

/// A value of the environment variable with this name that fits where the documents use it.
fn variable(name: &str) -> String {
    match name {
        _ if name.ends_with("_WEBHOOK") => "https://example.com/hook".to_owned(),
        _ if name.starts_with("PAGERDUTY_") => "0".repeat(32),
        _ => "1".to_owned(),
    }
}

/// The README and every document in `docs/`, except the decisions.
fn documents() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut documents: Vec<_> = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    documents.push("README.md".to_owned());
    documents
}

#[test]
fn links_between_documents_are_not_broken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in documents().iter().map(String::as_str).chain(["ARCHITECTURE.md", "CONTRIBUTING.md"]) {
        let folder = root.join(document).parent().unwrap().to_owned();
        let links = text(document);
        let targets = links.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let path = target.split('#').next().unwrap();
            assert!(folder.join(path).exists(), "{document} links to {target}, which does not exist");
        }
    }
}

/// The fenced blocks of a document, with their languages.
fn samples(document: &str) -> Vec<(String, String)> {
    let mut samples = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            samples.push((language.to_owned(), block.join("\n")));
        }
    }
    samples
}
