//! Files that were put exist, once and whole.

use checkup_core::archive::Put;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;

use super::super::drive::{MAX_POLLS, PATIENCE, block_on, block_on_threads, cancelled_after};
use super::{MANY, NAMES, NamedFilesFixture, create, ours, sorted};

/// "The file is durable": another instance finds it after the first one is gone, with all of its tasks.
pub fn what_is_put_outlives_its_process(fixture: &NamedFilesFixture) {
    for name in NAMES {
        block_on(async { create(&*(fixture.open)(), name, b"first").await });
    }
    block_on(async { (fixture.open)().put("conformance-derived.json", b"second").await.expect("a file can be put") });
    block_on(async {
        let files = (fixture.open)();
        for name in NAMES {
            assert_eq!(files.get(name).await.expect("a file that was put can be got"), b"first", "{name}");
        }
        assert_eq!(files.get("conformance-derived.json").await.expect("a file that was put can be got"), b"second");
        assert_eq!(ours(&*files).await, sorted(&[NAMES[0], "conformance-derived.json", NAMES[1]]), "what is listed");
    });
}

/// Content is bytes: none at all, every value, many.
pub fn any_content_is_kept_as_it_is(fixture: &NamedFilesFixture) {
    let contents = [Vec::new(), (0..=255).collect(), b"\r\n\0".repeat(400_000)];
    block_on(async {
        let files = (fixture.open)();
        for (number, content) in contents.iter().enumerate() {
            let (absent, replaced) = (format!("conformance-a{number}"), format!("conformance-r{number}"));
            create(&*files, &absent, content).await;
            files.put(&replaced, content).await.expect("a file can be put");
            for name in [absent, replaced] {
                let got = files.get(&name).await.expect("a file that was put can be got");
                assert!(got == *content, "{} bytes were put, and other {} got", content.len(), got.len());
            }
        }
    });
}

/// "`put_if_absent` never replaces a file", no matter who made it.
pub fn putting_if_absent_never_replaces(fixture: &NamedFilesFixture) {
    block_on(async {
        for name in NAMES {
            create(&*(fixture.open)(), name, b"first").await;
            for files in [(fixture.open)(), (fixture.open)()] {
                let put = files.put_if_absent(name, b"another").await.expect("a taken name is no error");
                let got = files.get(name).await.expect("a file that was put can be got");
                assert_eq!(got, b"first", "the file was replaced");
                assert_eq!(put, Put::Exists, "what a taken name gives");
            }
        }
    });
}

/// "… even when many put the same name at once: one of them creates it."
pub fn of_many_who_put_one_name_one_creates_it(fixture: &NamedFilesFixture) {
    block_on_threads(async {
        for round in 0..10 {
            let name = format!("147331800000000000{round}-conformance-check.json");
            let mut work = JoinSet::new();
            for number in 0..MANY {
                let (files, name) = ((fixture.open)(), name.clone());
                work.spawn(async move {
                    let content = vec![b'0' + u8::try_from(number).expect("it is below ten"); 5000];
                    let put = files.put_if_absent(&name, &content).await.expect("many may put the same name");
                    (put == Put::Created).then_some(content)
                });
            }
            let created: Vec<_> = work.join_all().await.into_iter().flatten().collect();
            assert_eq!(created.len(), 1, "of {MANY} who put {name}, so many created it");
            let got = (fixture.open)().get(&name).await.expect("a file that was put can be got");
            assert!(got == created[0], "{name} has not the content of who created it");
        }
    });
}

/// `put` "makes or replaces a file, in one step": concurrent readers get one or the other.
pub fn putting_replaces_whole(fixture: &NamedFilesFixture) {
    let contents = [vec![b'a'; 100_000], vec![b'b'; 50_000]];
    let (reader, writer) = ((fixture.open)(), (fixture.open)());
    block_on(async {
        writer.put("conformance.json", &contents[1]).await.expect("a file can be put");
        let written = contents.clone();
        let writing = tokio::spawn(async move {
            for round in 0..21 {
                writer.put("conformance.json", &written[round % 2]).await.expect("a file can be replaced");
            }
        });
        for round in 0.. {
            let is_last = writing.is_finished();
            let got = reader.get("conformance.json").await.expect("a file that is replaced is always there");
            assert!(contents.contains(&got), "a file that is replaced is torn: {} bytes", got.len());
            if is_last {
                assert!(got == contents[0], "the last content is not what is there");
                break;
            }
            // So that the reader does not always meet the same step of the writer.
            for _ in 0..round % 3 {
                yield_now().await;
            }
        }
        writing.await.expect("the writer ends");
    });
}

/// "A file is seen whole or not at all, even when the call is cancelled", and can be put again.
pub fn a_cancelled_put_is_there_whole_or_not_at_all(fixture: &NamedFilesFixture) {
    let content = vec![b'x'; 50_000];
    for polls in 0..MAX_POLLS {
        let name = format!("1473318000000000{polls:03}-conformance-check.json");
        let ended = block_on(async {
            let files = (fixture.open)();
            cancelled_after(polls, files.put_if_absent(&name, &content)).await.is_some()
        });
        block_on(async {
            let files = (fixture.open)();
            let what = format!("after a put that was dropped after {polls} polls");
            let seen = files.get(&name).await;
            assert!(seen.as_ref().map_or(true, |seen| *seen == content), "{what} the file is torn");
            assert!(seen.is_ok() || !ended, "{what} it said that the file is there, and it is not");
            let again = files.put_if_absent(&name, &content).await;
            again.map(drop).unwrap_or_else(|error| panic!("{what} it cannot be put again: {error}"));
            // The cancelled work may still be running, and may have taken the name.
            let deadline = Instant::now() + PATIENCE;
            while files.get(&name).await.ok().as_ref() != Some(&content) {
                assert!(Instant::now() < deadline, "{what} and another one, the file is not there");
                yield_now().await;
            }
        });
        if ended {
            return;
        }
    }
}
