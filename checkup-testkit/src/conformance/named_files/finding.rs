//! Existing files are listed, and deleted ones are gone.

use checkup_core::{StorageError, StorageErrorKind};
use tokio::task::JoinSet;

use super::super::drive::{block_on, block_on_threads};
use super::{MANY, NAMES, NamedFilesFixture, create, list, ours, sorted};

/// "… in the order of the bytes of the names."
pub fn names_are_listed_in_the_order_of_their_bytes(fixture: &NamedFilesFixture) {
    let names = [
        "9-conformance",
        "10-conformance",
        "a-conformance",
        "B-conformance",
        "a-b.conformance",
        "a_conformance",
        "ab-conformance",
        "é-conformance",
    ];
    block_on(async {
        let files = (fixture.open)();
        for name in names {
            create(&*files, name, b"").await;
        }
        let all = list(&*files, "", 10_000).await;
        assert!(all.is_sorted(), "the names are not in the order of their bytes: {all:?}");
        assert_eq!(ours(&*files).await, sorted(&names), "what is listed");
    });
}

/// "`list` returns every file that … is not before `from`, … up to `limit`": page after page gives each name once.
pub fn a_listing_begins_at_a_name_and_ends_at_its_limit(fixture: &NamedFilesFixture) {
    let names: Vec<_> = (10..40).map(|number| format!("{number}-conformance-check.json")).collect();
    block_on(async {
        let files = (fixture.open)();
        for name in &names {
            files.put(name, b"[]").await.expect("a file can be put");
        }
        let from = async |from: &str| {
            let listed = list(&*files, from, 10_000).await;
            listed.into_iter().filter(|name| name.contains("conformance")).collect::<Vec<_>>()
        };
        assert_eq!(from(&names[7]).await, names[7..], "a name is at or after itself");
        assert_eq!(from("17").await, names[7..], "from the beginning of a name on");
        assert_eq!(from(&format!("{}\0", names[7])).await, names[8..], "from after a name on");
        assert_eq!(from("~").await, [""; 0], "from after all names on");
        for (end, expected) in
            [(":", &names[7..]), ("20", &names[7..10]), (names[9].as_str(), &names[7..9]), ("17", &[])]
        {
            let listed = files.list_before("17", end, 10_000).await.expect("the files can be listed");
            let listed: Vec<_> = listed.into_iter().filter(|name| name.contains("conformance")).collect();
            assert_eq!(listed, expected, "names before {end:?}");
        }
        for limit in [1, 7, 30, 31] {
            let (mut paged, mut next) = (Vec::new(), String::new());
            loop {
                let page = list(&*files, &next, limit).await;
                assert!(page.len() <= limit, "{} names were listed, and the limit is {limit}", page.len());
                paged.extend(page.iter().filter(|name| name.contains("conformance")).cloned());
                match page.last().filter(|_| page.len() == limit) {
                    Some(last) => next = format!("{last}\0"),
                    None => break,
                }
                assert!(paged.len() <= names.len(), "the pages of {limit} names do not end");
            }
            assert_eq!(paged, names, "in pages of {limit} names");
        }
    });
}

/// "`delete` removes the given files and nothing else. A missing file is not an error."
pub fn deleting_removes_what_it_is_told_to_and_nothing_else(fixture: &NamedFilesFixture) {
    let names = [
        "1-conformance-check.json",
        "11-conformance-check.json",
        "conformance",
        "conformance.json",
        "other-conformance",
    ];
    block_on(async {
        let files = (fixture.open)();
        for name in names {
            create(&*files, name, b"").await;
        }
        for _ in 0..2 {
            let deleted = files.delete(&[names[0], "not-there-conformance", "5-not-there-check.json", names[2]]).await;
            deleted.expect("files can be deleted, also those that are not there");
            assert_eq!(ours(&*(fixture.open)()).await, sorted(&[names[1], names[3], names[4]]), "what is left");
        }
        files.delete(&[]).await.expect("nothing can be deleted");
        create(&*files, names[0], b"again").await;
    });
}

/// The number of names is unlimited: callers need not know how many a server takes in one request.
pub fn more_than_a_thousand_are_deleted_at_once(fixture: &NamedFilesFixture) {
    let names: Vec<_> = (0..1100).map(|number| format!("conformance-{number}")).collect();
    block_on_threads(async {
        let mut work = JoinSet::new();
        for part in names.chunks(names.len() / MANY + 1) {
            let (files, part) = ((fixture.open)(), part.to_vec());
            work.spawn(async move {
                for name in part {
                    files.put(&name, b"").await.expect("a file can be put");
                }
            });
        }
        work.join_all().await;
        let files = (fixture.open)();
        assert_eq!(ours(&*files).await.len(), names.len(), "so many are listed");
        files.delete(&names.iter().map(String::as_str).collect::<Vec<_>>()).await.expect("files can be deleted");
        assert_eq!(ours(&*files).await.len(), 0, "what is left of {} files", names.len());
    });
}

/// "Any number … may do all of this at the same time": the second call finds nothing to delete.
pub fn many_may_delete_the_same(fixture: &NamedFilesFixture) {
    let names: Vec<_> = (10..30).map(|number| format!("{number}-conformance-check.json")).collect();
    block_on_threads(async {
        for name in &names {
            create(&*(fixture.open)(), name, b"[]").await;
        }
        let mut work = JoinSet::new();
        for _ in 0..MANY {
            let (files, names) = ((fixture.open)(), names.clone());
            work.spawn(async move { files.delete(&names.iter().map(String::as_str).collect::<Vec<_>>()).await });
        }
        for deleted in work.join_all().await {
            deleted.expect("many may delete the same");
        }
        assert_eq!(ours(&*(fixture.open)()).await, [""; 0], "what is left");
    });
}

/// Getting a file that does not exist is a [`StorageErrorKind::NotFound`].
pub fn an_unknown_file_is_not_found(fixture: &NamedFilesFixture) {
    block_on(async {
        let files = (fixture.open)();
        for name in NAMES {
            let kind = |got: Result<Vec<u8>, StorageError>| got.map_err(|error| error.kind());
            assert_eq!(kind(files.get(name).await), Err(StorageErrorKind::NotFound), "of a file that never was");
            create(&*files, name, b"").await;
            files.delete(&[name]).await.expect("files can be deleted");
            assert_eq!(kind(files.get(name).await), Err(StorageErrorKind::NotFound), "of a file that is gone");
        }
    });
}
