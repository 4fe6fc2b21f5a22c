//! What waits, what is on its way, and how far the mark may go.

use model::MessageId;

use super::Transit;

fn id(number: i64) -> MessageId {
    MessageId::from_i64(number).unwrap()
}

fn mark(transit: &Transit) -> Option<i64> {
    transit.mark().map(MessageId::to_i64)
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
    assert_eq!(transit.waiting_after(), Some(id(4)));
    assert!(transit.takes(id(5)));
    assert!(!transit.takes(id(8)), "what was written is not shown again");
    transit.flushed(Some(id(8)));
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
    assert!(transit.takes(id(1)));
    transit.flushed(Some(id(1)));
    assert!(transit.written(id(1)));
    assert_eq!(mark(&transit), Some(1));
}

#[test]
fn a_page_that_is_not_the_last_leaves_the_rest_waiting() {
    let mut transit = Transit::load(None);
    transit.found_waiting();
    assert!(transit.takes(id(3)) && transit.takes(id(4)));
    transit.flushed_to(Some(id(4)));
    assert!(transit.is_waiting());
    assert_eq!(transit.waiting_after(), Some(id(4)));
    transit.flushed(None);
    assert!(!transit.is_waiting());
}

#[test]
fn what_came_while_the_last_page_was_read_still_waits() {
    let mut transit = Transit::load(None);
    transit.announced(id(1), 0);
    assert!(transit.takes(id(1)));
    transit.announced(id(2), 0);
    transit.flushed(Some(id(1)));
    assert!(transit.is_waiting(), "2 was announced after the page was read");
    assert!(transit.takes(id(2)));
    transit.flushed(Some(id(2)));
    assert!(!transit.is_waiting());
}

#[test]
fn what_does_not_wait_does_not_hold_the_mark() {
    let mut transit = Transit::load(None);
    transit.passed(id(7));
    assert_eq!(mark(&transit), Some(7));
}
