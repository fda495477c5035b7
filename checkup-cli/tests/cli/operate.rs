//! Checks docs/operate.md and the samples in deploy/: the command accepts their command lines and configs, and prints their messages.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Folder;

/// The words that end a command line in a shell, a crontab or a document.
const ENDS: [&str; 9] = ["|", "||", "&&", ">", ">&2", "#", ")", "\\", "·"];

#[test]
fn the_command_accepts_every_command_line_in_the_document_and_the_samples() {
    let folder = Folder::empty();
    let lines: Vec<_> = texts().iter().flat_map(|(path, text)| command_lines(path, text)).collect();
    assert!(lines.len() >= 30, "only {} command lines are found: {lines:#?}", lines.len());
    for (path, words) in lines {
        // Arguments are parsed up to here, and nothing is run.
        let args: Vec<_> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let ran = folder.run(&args);
        assert_eq!(ran.code, 0, "{}: checkup {}\n{}", path.display(), words.join(" "), ran.stderr);
    }
}

#[test]
fn every_config_in_the_samples_is_valid() {
    let configs = [
        ("checkup.yaml", sample("deploy/checkup.yaml")),
        ("cluster.yaml", block(&sample("deploy/kubernetes/config.yaml"), "checkup.yaml: |")),
        ("probe.yaml", block(&sample("deploy/compose.yaml"), "content: |")),
    ];
    for (name, config) in configs {
        let ran = Folder::empty().file(name, &config).run(&["validate", name]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{name}:\n{config}");
        assert!(ran.stdout.contains("check"), "{}", ran.stdout);
    }
}

#[test]
fn every_message_in_the_troubleshooting_table_is_one_that_a_program_prints() {
    let document = sample("docs/operate.md");
    let (_, table) = document.split_once("## Troubleshooting by message").unwrap();
    let source = source();
    let mut found = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cell = row.split(" | ").next().unwrap().trim_start_matches("| ");
        // `one`, or ``one with `quotes` in it``.
        let mark = if cell.starts_with("``") { "``" } else { "`" };
        for message in cell.split(mark).skip(1).step_by(2) {
            for part in message.split('…').map(str::trim) {
                found += 1;
                assert!(source.contains(part), "no source has {part:?} any longer; correct it in docs/operate.md");
            }
        }
    }
    assert!(found >= 20, "only {found} messages are found");
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sample(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The document and the samples, with their paths.
fn texts() -> Vec<(PathBuf, String)> {
    let mut files = vec![root().join("docs/operate.md"), root().join(".github/workflows/release.yml")];
    files.extend(files_below(&root().join("deploy")));
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The arguments of each `checkup …` in a shell, a unit, a crontab or a code span, and of each list of arguments in YAML.
fn command_lines(path: &Path, text: &str) -> Vec<(PathBuf, Vec<String>)> {
    let mut found = Vec::new();
    for line in text.lines() {
        for (start, _) in line.match_indices("checkup ") {
            let before = &line[..start];
            let is_command = before.is_empty()
                || ["`", "/usr/local/bin/", "./", "/release/"].iter().any(|end| before.ends_with(end));
            if !is_command {
                continue;
            }
            let rest = line[start + "checkup ".len()..].split('`').next().unwrap();
            let words = rest.split_whitespace().take_while(|word| !ENDS.contains(word));
            found.push(words.map(|word| word.trim_matches(['"', '\'', ';', ',']).to_owned()).collect::<Vec<_>>());
        }
        let list = ["args: [", "command: ["].iter().find_map(|key| line.trim_start().strip_prefix(key));
        if let Some(list) = list.and_then(|list| list.strip_suffix(']')) {
            found.push(list.split(',').map(|word| word.trim().trim_matches('"').to_owned()).collect());
        }
    }
    // People fill in what is `…`. Where a path or a file follows, the binary is copied, not run.
    let is_copied =
        |words: &[String]| words.first().is_none_or(|first| first.starts_with('/') || first.starts_with("checkup."));
    let is_whole = |words: &Vec<String>| !is_copied(words) && !words.iter().any(|word| word.contains('…'));
    found.into_iter().filter(is_whole).map(|words| (path.to_owned(), words)).collect()
}

/// The indented block that follows this line of a YAML file.
fn block(text: &str, key: &str) -> String {
    let mut lines = text.lines().skip_while(|line| line.trim() != key);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let outer = indent(lines.next().unwrap());
    let lines: Vec<_> = lines.take_while(|line| indent(line) > outer).collect();
    let inner = lines.iter().map(|line| indent(line)).min().unwrap();
    lines.iter().map(|line| format!("{}\n", &line[inner..])).collect()
}

/// The sources of all crates. Texts that span several lines are joined.
fn source() -> String {
    let crates = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let files = crates.filter(|folder| folder.is_dir()).flat_map(|folder| files_below(&folder));
    let sources = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let text: String = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut parts = text.split("\\\n");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |joined, part| joined + part.trim_start())
}
