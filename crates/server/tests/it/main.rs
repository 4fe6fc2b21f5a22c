//! Whole-system tests: the program that a user starts, on loopback, spoken to by clients. Each test
//! has a house of its own. One binary; a module for each point of what must work.

#![expect(
    clippy::disallowed_methods,
    reason = "tests start programs, read the environment and measure time"
)]
#![expect(clippy::unwrap_in_result, reason = "a fault of the test itself ends it at once")]
#![expect(clippy::print_stderr, reason = "tests say what they saw")]

mod archive;
mod client;
mod clients;
mod contacts;
mod conversations;
mod full_disk;
mod hostile;
mod house;
mod nothing_lost;
mod players;
mod rules;
mod surroundings;
mod wire;
mod xml;
