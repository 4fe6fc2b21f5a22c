//! One suite for both databases: each case runs on SQLite and on a PostgreSQL that the tests start
//! themselves. What only one of them can suffer has a file of its own.

mod appending;
mod clock;
mod cost;
mod damage;
mod ground;
mod lists;
mod mailbox;
mod opening;
mod paging;
mod remains;
mod server;

/// Runs each case on both databases.
macro_rules! on_both {
    ($($case:path => $name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { $case(crate::ground::Ground::sqlite()); })+
        }
        mod on_postgres {
            $(#[test] fn $name() { $case(crate::ground::Ground::postgres()); })+
        }
    };
}

on_both! {
    crate::appending::one_batch_is_one_commit => one_batch_is_one_commit,
    crate::appending::records_are_numbered_without_gaps => records_are_numbered_without_gaps,
    crate::appending::a_fault_leaves_nothing_in => a_fault_leaves_nothing_in,
    crate::appending::a_large_batch_goes_in => a_large_batch_goes_in,
    crate::appending::an_owner_has_one_row_of_a_message => an_owner_has_one_row_of_a_message,
    crate::appending::what_is_committed_outlives_the_process => what_is_committed_outlives_the_process,
    crate::appending::readers_see_whole_batches => readers_see_whole_batches,
    crate::appending::held_messages_come_back_whole => held_messages_come_back_whole,
    crate::mailbox::what_waits_is_what_came_in => what_waits_is_what_came_in,
    crate::mailbox::pages_of_large_messages_are_short => pages_of_large_messages_are_short,
    crate::mailbox::marks_only_rise_and_sweep => marks_only_rise_and_sweep,
    crate::mailbox::the_forgotten_leave_others_theirs => the_forgotten_leave_others_theirs,
    crate::lists::a_roster_has_versions => a_roster_has_versions,
    crate::lists::old_marks_of_removal_go => old_marks_of_removal_go,
    crate::lists::keepsakes_are_kept_apart => keepsakes_are_kept_apart,
    crate::lists::unknown_people_have_nothing => unknown_people_have_nothing,
    crate::paging::pages_put_together_are_the_whole => pages_put_together_are_the_whole,
    crate::paging::an_unknown_anchor_is_no_such_item => an_unknown_anchor_is_no_such_item,
    crate::opening::there_is_one_writer => there_is_one_writer,
    crate::opening::a_second_server_is_refused => a_second_server_is_refused,
    crate::opening::another_key_is_refused => another_key_is_refused,
    crate::opening::a_newer_version_is_refused => a_newer_version_is_refused,
    crate::damage::a_flipped_bit_is_damage => a_flipped_bit_is_damage,
    crate::damage::an_envelope_on_another_row_is_damage => an_envelope_on_another_row_is_damage,
}
