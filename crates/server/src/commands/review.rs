//! `review`: messages that a rule holds until somebody decides. Works through the running server.

use clap::{Args, Subcommand};
use model::MessageId;
use serde_json::{Value, json};

use super::{Scene, Signature};
use crate::{
    control::{self, Answer},
    fault::Fault,
    place::Place,
};

/// Lists, releases and rejects messages that a rule holds.
///
/// Use it as a supervisor, for messages that a lexicon rule with the action `hold` stopped. What is
/// released is judged again and delivered; what is rejected is not, and its sender is told. Each
/// decision is a record of the archive.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  chancery review list\n  chancery review release \
                        12345 --by cleo --reason 'public since noon'\n")]
pub(crate) struct Review {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the messages that wait, the oldest first
    List,
    /// Show the words of a message that waits; that you read them goes into the archive
    Show(Decide),
    /// Let a message go on
    Release(Decide),
    /// Keep a message from going on, for good
    Reject(Decide),
}

#[derive(Args, Debug)]
struct Decide {
    /// The message, as `review list` names it
    id: String,
    #[command(flatten)]
    signature: Signature,
}

/// Messages listed at most where no server is running.
const LIST_MAX: usize = 1_000;

/// One message that waits, without its words: reading them is a deed of its own.
struct Waiting {
    id: String,
    from: String,
    to: Vec<String>,
    rules: Vec<String>,
}

pub(crate) fn run(scene: &Scene, review: &Review) -> Result<(), Fault> {
    let place = scene.place()?;
    match &review.command {
        Command::List => list(scene, &place),
        Command::Show(decide) => decide.read(scene, &place),
        Command::Release(decide) => decide.send(scene, &place, "release", "released"),
        Command::Reject(decide) => decide.send(scene, &place, "reject", "rejected"),
    }
}

impl Decide {
    /// Asks the running server; the answer is its line.
    fn ask(&self, place: &Place, word: &str) -> Result<String, Fault> {
        if self.id.is_empty() || self.id.contains(char::is_whitespace) {
            return Err(Fault::Usage(format!("{:?} is not the id of a message", self.id)));
        }
        // The reviewer is one word of the line, the reason is the rest of it.
        let reviewer = self.signature.name().replace(char::is_whitespace, "_");
        let command = format!("{word} {} {reviewer} {}", self.id, self.signature.reason);
        match control::ask(&place.control_socket(), &command)? {
            Answer::Done(line) => Ok(line),
            Answer::Denied(why) => Err(Fault::Refused(format!("{}: {why}", self.id))),
            Answer::Nobody => Err(Fault::Environment(
                "no server is running, and a decision needs one; start `chancery serve`".to_owned(),
            )),
        }
    }

    fn read(&self, scene: &Scene, place: &Place) -> Result<(), Fault> {
        let text = self.ask(place, "read")?.replace('\t', "\n");
        scene.show(|| text.clone(), || json!({ "id": self.id, "text": text }));
        Ok(())
    }

    fn send(&self, scene: &Scene, place: &Place, word: &str, done: &str) -> Result<(), Fault> {
        self.ask(place, word)?;
        scene.show(
            || format!("{} is {done}", self.id),
            || json!({ "id": self.id, "decision": done }),
        );
        Ok(())
    }
}

fn list(scene: &Scene, place: &Place) -> Result<(), Fault> {
    let waiting: Vec<Waiting> = match control::ask(&place.control_socket(), "held")? {
        Answer::Done(line) => line.split('\t').filter_map(read_entry).collect(),
        Answer::Denied(why) => return Err(Fault::Refused(why)),
        Answer::Nobody => from_store(place)?,
    };
    scene.show(
        || {
            if waiting.is_empty() {
                return "no message waits for review".to_owned();
            }
            let line = |it: &Waiting| {
                let (to, rules) = (it.to.join(" "), it.rules.join(" "));
                format!("{}  {}  {} -> {to}  held by {rules}", it.id, it.time(), it.from)
            };
            waiting.iter().map(line).collect::<Vec<_>>().join("\n")
        },
        || waiting.iter().map(Waiting::value).collect(),
    );
    Ok(())
}

impl Waiting {
    /// When it was taken in, which its id tells.
    fn time(&self) -> String {
        let id = self.id.parse::<MessageId>();
        id.map_or_else(|()| String::new(), |id| id.time().to_string())
    }

    fn value(&self) -> Value {
        json!({ "id": self.id, "time": self.time(), "from": self.from, "to": self.to,
                "rules": self.rules })
    }
}

/// One entry of the server's answer: id, sender, recipients, rules.
fn read_entry(entry: &str) -> Option<Waiting> {
    let mut words = entry.split(' ');
    let list = |word: &str| word.split(',').map(str::to_owned).collect();
    Some(Waiting {
        id: words.next().filter(|id| !id.is_empty())?.to_owned(),
        from: words.next()?.to_owned(),
        to: list(words.next()?),
        rules: list(words.next()?),
    })
}

/// Where no server is running, the store can be read directly.
fn from_store(place: &Place) -> Result<Vec<Waiting>, Fault> {
    let store = place.store()?;
    let held = store.reader().held(None, LIST_MAX);
    let held = held.map_err(|fault| Fault::Environment(fault.to_string()))?;
    let waiting = |held: store::Held| {
        let recipients = held.submission.recipients.iter();
        Waiting {
            id: held.id.to_string(),
            from: held.submission.sender.to_string(),
            to: recipients.map(|recipient| recipient.address.to_string()).collect(),
            rules: held.rules,
        }
    };
    Ok(held.into_iter().map(waiting).collect())
}
