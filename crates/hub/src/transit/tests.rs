//! What waits, what is on its way, and how far the mark may go.

use model::MessageId;

use super::{Fetch, Transit};

fn id(number: i64) -> MessageId {
    MessageId::from_i64(number).unwrap()
}

fn mark(transit: &Transit) -> Option<i64> {
    transit.mark().map(MessageId::to_i64)
}

fn take(transit: &mut Transit, number: i64) -> bool {
    let is_untaken = transit.is_untaken(id(number));
    if is_untaken {
        transit.announced(id(number), 1);
    }
    is_untaken
}

fn fetch(transit: &Transit) -> Fetch {
    transit.fetch().unwrap()
}

#[test]
fn the_mark_follows_what_is_written() {
    let mut transit = Transit::load(Some(id(10)));
    transit.announced(id(20), 1);
    transit.announced(id(30), 2);
    assert!(transit.written(id(30)));
    assert_eq!(mark(&transit), Some(19), "20 is on its way");
    assert!(transit.written(id(20)));
    assert_eq!(mark(&transit), Some(30));
    assert!(!transit.written(id(20)), "written twice counts once");
    assert!(transit.is_idle() && !transit.is_waiting());
}

#[test]
fn what_nobody_took_waits_and_holds_the_mark() {
    let mut transit = Transit::load(None);
    transit.announced(id(5), 0);
    transit.announced(id(8), 1);
    assert!(transit.is_waiting());
    transit.written(id(8));
    assert_eq!(mark(&transit), Some(4));
    let page = fetch(&transit);
    assert_eq!(page.after, Some(id(4)));
    assert!(take(&mut transit, 5));
    assert!(!take(&mut transit, 8), "what was written is not shown again");
    transit.fetched(page, Some(id(8)), true);
    assert!(!transit.is_waiting());
    assert!(transit.written(id(5)));
    assert_eq!(mark(&transit), Some(8));
}

#[test]
fn what_an_ended_session_did_not_write_waits_again() {
    let mut transit = Transit::load(None);
    transit.announced(id(1), 2);
    transit.dropped(id(1));
    assert!(!transit.is_waiting(), "another session has it");
    transit.dropped(id(1));
    assert!(transit.is_waiting());
    let page = fetch(&transit);
    assert!(take(&mut transit, 1));
    transit.fetched(page, Some(id(1)), true);
    assert!(transit.written(id(1)));
    assert_eq!(mark(&transit), Some(1));
}

#[test]
fn a_page_that_is_not_the_last_leaves_the_rest_waiting() {
    let mut transit = Transit::load(None);
    transit.found_waiting();
    let page = fetch(&transit);
    assert!(take(&mut transit, 3) && take(&mut transit, 4));
    transit.fetched(page, Some(id(4)), false);
    assert!(transit.is_waiting());
    let page = fetch(&transit);
    assert_eq!(page.after, Some(id(4)));
    transit.fetched(page, None, true);
    assert!(!transit.is_waiting());
}

#[test]
fn what_came_while_the_last_page_was_read_still_waits() {
    let mut transit = Transit::load(None);
    transit.announced(id(1), 0);
    let page = fetch(&transit);
    assert!(take(&mut transit, 1));
    transit.announced(id(2), 0);
    transit.fetched(page, Some(id(1)), true);
    assert!(transit.is_waiting(), "2 was announced after the page was read");
    let page = fetch(&transit);
    assert!(take(&mut transit, 2));
    transit.fetched(page, Some(id(2)), true);
    assert!(!transit.is_waiting());
}

/// Two sessions fetch. One has taken 5 and breaks while the other reads from 10 on.
#[test]
fn what_comes_back_below_a_page_still_waits() {
    for complete in [false, true] {
        let mut transit = Transit::load(None);
        transit.announced(id(5), 0);
        let first = fetch(&transit);
        assert!(take(&mut transit, 5));
        transit.fetched(first, Some(id(5)), true);
        transit.announced(id(10), 0);
        let second = fetch(&transit);
        transit.dropped(id(5));
        assert!(take(&mut transit, 10));
        transit.fetched(second, Some(id(10)), complete);
        transit.written(id(10));
        assert_eq!(mark(&transit), Some(4), "5 has reached nobody");
        assert_eq!(fetch(&transit).after, Some(id(4)));
        assert!(take(&mut transit, 5));
    }
}

/// A message that is gone from the mailbox does not make its session fetch for ever.
#[test]
fn what_is_not_there_any_more_does_not_wait() {
    let mut transit = Transit::load(None);
    transit.announced(id(5), 0);
    transit.announced(id(9), 0);
    let page = fetch(&transit);
    transit.fetched(page, None, true);
    assert!(!transit.is_waiting());
}

/// A message came and was written before it was known whether anything waits.
#[test]
fn what_was_stored_before_the_load_is_not_passed_over() {
    let mut transit = Transit::load(Some(id(10)));
    transit.found_waiting();
    let unsure = fetch(&transit);
    transit.announced(id(30), 1);
    assert!(!transit.written(id(30)), "there may be something between 10 and 30");
    assert!(transit.fetched(unsure, None, true));
    assert_eq!(mark(&transit), Some(30));
}

#[test]
fn what_does_not_wait_does_not_hold_the_mark() {
    let mut transit = Transit::load(None);
    transit.passed(id(7));
    assert_eq!(mark(&transit), Some(7));
}
