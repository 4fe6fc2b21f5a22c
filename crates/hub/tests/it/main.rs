//! The house from the inside, with a real directory, judge, store and archive log in a folder of its
//! own, driven through the public functions of the hub as `edge` does it. After each play the log
//! is verified and opened: what was delivered is in it, and nothing was delivered twice.

mod ending;
mod house;
mod lists;
mod messages;
mod presence;
mod rules;
mod token_chain;
mod waiting;
