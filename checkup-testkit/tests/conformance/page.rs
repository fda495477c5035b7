//! The page that lists all behaviours is complete.

use checkup_testkit::conformance::{Behaviour, checker, named_files, notifier, storage};

const PAGE: &str = include_str!("../../src/behaviours.md");

fn rows<F>(behaviours: &[Behaviour<F>]) -> Vec<String> {
    let row = |behaviour: &Behaviour<F>| {
        let needs: Vec<_> = behaviour.needs.iter().map(|need| format!("`{need}`")).collect();
        format!("| `{}` | {} |", behaviour.name, needs.join(", "))
    };
    behaviours.iter().map(row).collect()
}

#[test]
fn every_behaviour_is_on_the_page_with_what_it_needs() {
    for (title, expected) in [
        ("Checkers", rows(checker::BEHAVIOURS)),
        ("Storages", rows(storage::BEHAVIOURS)),
        ("Named files", rows(named_files::BEHAVIOURS)),
        ("Notifiers", rows(notifier::BEHAVIOURS)),
    ] {
        let section = PAGE.split("\n## ").find_map(|section| section.strip_prefix(title)).unwrap();
        let rows: Vec<_> = section.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows, expected, "the table of {title}");
    }
}

fn needs<F>(behaviours: &[Behaviour<F>]) -> Vec<&'static str> {
    behaviours.iter().flat_map(|behaviour| behaviour.needs).copied().collect()
}

#[test]
fn every_part_of_a_fixture_is_explained() {
    let parts = PAGE.split("\n## ").next().unwrap();
    let needs = [
        needs(checker::BEHAVIOURS),
        needs(storage::BEHAVIOURS),
        needs(named_files::BEHAVIOURS),
        needs(notifier::BEHAVIOURS),
    ];
    for need in needs.concat() {
        assert!(parts.contains(&format!("`{need}`")), "{need} is not explained");
    }
}
