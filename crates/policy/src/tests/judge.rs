//! The judge: each check, each missing fact, each action of the lexicon.

use std::sync::Arc;

use model::{
    Address, Content, ContentKind, Format, Handling, Origin, PrivacyClass, Recipient, Submission,
};

use super::{at, bank, bank_saying, compile, noon, say, who};
use crate::{
    Access, AccessRule, Action, Audience, Book, Disposition, Effect, Fact, Facts, Judged,
    LexiconAction, LexiconRule, PolicySet, Reason, RecipientFacts, Selector, Setting, judge,
};

fn message(from: &str, to: &[&str], text: &str) -> Submission {
    let recipient =
        |name: &&str| Recipient { address: who(name), session: None, as_given: (*name).into() };
    Submission {
        origin: Origin::Chat,
        sender: who(from),
        session: None,
        recipients: to.iter().map(recipient).collect(),
        class: PrivacyClass::Private,
        content: Content {
            format: Format::Plain,
            kind: ContentKind::Message,
            octets: text.as_bytes().into(),
            text: text.into(),
            client_id: None,
            refers_to: None,
        },
        handling: Handling { history: true, wait: true, copies: true, fallback: false },
        accepted: noon(),
    }
}

/// Facts as the hub would gather them: everything known.
fn facts(book: &Book, submission: &Submission) -> Facts {
    let profile = |address: &Address| Fact::Known(Arc::new(book.profile(address, noon())));
    let recipient = |one: &Recipient| {
        let access = book.may(Action::Message, &submission.sender, &one.address, noon());
        RecipientFacts {
            local: Fact::Known(one.address.domain() == "bank.example"),
            exists: Fact::Known(true),
            access: Fact::Known(access),
            profile: profile(&one.address),
            blocked: Fact::Known(false),
            blocking: Fact::Known(false),
        }
    };
    Facts {
        now: noon(),
        policy_version: book.version(),
        sender: profile(&submission.sender),
        recipients: submission.recipients.iter().map(recipient).collect(),
        confirmed: false,
        released: false,
    }
}

fn judged(book: &Book, submission: Submission) -> Judged {
    let facts = facts(book, &submission);
    judge(&facts, submission)
}

fn reasons(judged: &Judged) -> Vec<Reason> {
    judged.refused.iter().map(|refused| refused.reason).collect()
}

/// One message from ann to bob under one change of the facts.
fn with_facts(change: impl FnOnce(&mut Facts)) -> Judged {
    let submission = message("ann", &["bob"], "hello");
    let mut facts = facts(&compile(&bank()), &submission);
    change(&mut facts);
    judge(&facts, submission)
}

/// POL-25: what is admitted names the version that admitted it.
#[test]
fn an_ordinary_message_is_admitted() {
    let judged = judged(&compile(&bank()), message("ann", &["bob", "tom"], "hello"));
    assert!(judged.refused.is_empty() && judged.notices.is_empty());
    let admitted = judged.admitted.expect("admitted");
    assert!(Arc::ptr_eq(admitted.submission(), &judged.submission));
    let names: Vec<&str> = admitted.addressed().map(|(to, _)| to.address.as_str()).collect();
    assert_eq!(names, ["bob@bank.example", "tom@bank.example"]);
    assert!(admitted.recipients().iter().all(|pass| pass.local && pass.history));
    assert_eq!(admitted.disposition(), Disposition::Deliver);
    assert_eq!(admitted.policy_version(), 812);
    assert!(admitted.archive() && admitted.sender_history() && admitted.fired().is_empty());
}

/// A missing fact refuses what needs it and says only that it is missing.
#[test]
fn unknown_facts_refuse() {
    let unavailable = |change: fn(&mut Facts)| {
        let judged = with_facts(change);
        assert!(judged.admitted.is_none());
        assert_eq!(reasons(&judged), [Reason::Unavailable]);
        assert_eq!(judged.refused[0].public.as_ref(), Reason::Unavailable.text());
        assert!(judged.refused[0].private.starts_with("not known in time: "));
    };
    unavailable(|facts| facts.sender = Fact::Unknown);
    unavailable(|facts| facts.recipients.clear());
    unavailable(|facts| facts.recipients[0].local = Fact::Unknown);
    unavailable(|facts| facts.recipients[0].exists = Fact::Unknown);
    unavailable(|facts| facts.recipients[0].access = Fact::Unknown);
    unavailable(|facts| facts.recipients[0].profile = Fact::Unknown);
    unavailable(|facts| facts.recipients[0].blocked = Fact::Unknown);
    unavailable(|facts| facts.recipients[0].blocking = Fact::Unknown);
}

/// POL-17, POL-26: a profile or an access that has run out is as good as none.
#[test]
fn stale_facts_refuse() {
    let judged = with_facts(|facts| {
        let Fact::Known(profile) = &facts.sender else { return };
        let mut stale = profile.as_ref().clone();
        stale.valid_until = Some(facts.now);
        facts.sender = Fact::Known(Arc::new(stale));
    });
    assert_eq!(reasons(&judged), [Reason::Unavailable]);
    let judged = with_facts(|facts| {
        let access =
            Access { allowed: true, rules: vec![], text: None, valid_until: Some(facts.now) };
        facts.recipients[0].access = Fact::Known(access);
    });
    assert_eq!(reasons(&judged), [Reason::Unavailable]);
}

/// POL-03: a blocked sender learns nothing of it; the record does.
#[test]
fn recipients_that_cannot_be_reached() {
    let judged = with_facts(|facts| facts.recipients[0].exists = Fact::Known(false));
    assert_eq!(reasons(&judged), [Reason::NoSuchRecipient]);
    let judged = with_facts(|facts| facts.recipients[0].blocked = Fact::Known(true));
    assert_eq!(reasons(&judged), [Reason::Blocked]);
    assert_eq!(judged.refused[0].public.as_ref(), "The message cannot be delivered.");
    assert_eq!(judged.refused[0].private, "the sender is on their block list");
    let judged = with_facts(|facts| facts.recipients[0].blocking = Fact::Known(true));
    assert_eq!(reasons(&judged), [Reason::Blocking]);
}

/// POL-06: behind a wall; each recipient is judged alone.
#[test]
fn a_wall_refuses_one_of_two() {
    let side = |text| Selector::parse(text).expect("a selector");
    let access = AccessRule::wall("w", &side("group:tellers"), &side("group:brokers"), "No.");
    let book = compile(&PolicySet { access, ..bank() });
    let judged = judged(&book, message("ann", &["bob", "ria"], "hello"));
    let refused = &judged.refused[0];
    assert_eq!((refused.reason, refused.index), (Reason::Forbidden, 0));
    assert_eq!((refused.public.as_ref(), refused.private.as_str()), ("No.", "forbidden by w"));
    let admitted = judged.admitted.as_ref().expect("one is admitted");
    assert_eq!(admitted.recipients()[0].index, 1);
    let outside = super::judge::judged(&book, message("ann", &["pat@partner.example"], "hello"));
    assert_eq!(outside.refused[0].private, "no rule permits it and access.default does not");
}

/// POL-16, POL-17: closed outside hours, with a text that says when it opens.
#[test]
fn closed_outside_hours() {
    let book = bank_saying(vec![
        say("domain", Setting::ACCESS_HOURS, "", "free through"),
        say("group:morning", Setting::ACCESS_HOURS, "Mon-Fri 07:30-17:00 Europe/Berlin", ""),
    ]);
    let closed = judged(&book, message("ann", &["bob"], "hello"));
    assert_eq!(reasons(&closed), [Reason::Closed]);
    let text = "The service is open to you Mon-Fri 07:30-17:00 Europe/Berlin.";
    assert_eq!(closed.refused[0].public.as_ref(), text);
    // Who is off gets messages all the same.
    assert!(judged(&book, message("bob", &["ann"], "hello")).admitted.is_some());
    // The house is never closed.
    let mut notice = message("ann", &["bob"], "hello");
    notice.origin = Origin::House;
    assert!(judged(&book, notice).admitted.is_some());
    assert!(book.profile(&who("ann"), at("2026-11-20T12:00:00Z")).open);
}

/// The strictest of both sides' limits holds, also for the house.
#[test]
fn sizes_and_classes_of_both_sides() {
    let book = bank_saying(vec![
        say("domain", Setting::MESSAGE_MAX_BYTES, "4096", "free"),
        say("group:brokers", Setting::MESSAGE_MAX_BYTES, "2048", ""),
        say("domain", Setting::MESSAGE_CLASSES, "", "free"),
        say("group:research", Setting::MESSAGE_CLASSES, "{public}", ""),
    ]);
    let big = "x".repeat(3_000);
    let judge_one = |from, to, text| judged(&book, message(from, &[to], text));
    assert!(judge_one("ann", "tom", &big).admitted.is_some());
    for (from, to, side) in [("ann", "bob", "recipient"), ("bob", "ann", "sender")] {
        let refused = judge_one(from, to, &big);
        assert_eq!(reasons(&refused), [Reason::TooLarge]);
        let private = format!("3000 bytes; the {side}'s message.max_bytes is 2048");
        assert_eq!(refused.refused[0].private, private);
        assert_eq!(refused.refused[0].public.as_ref(), "The message is larger than 2048 bytes.");
    }
    let mut notice = message("bob", &["ann"], &big);
    notice.origin = Origin::House;
    assert_eq!(reasons(&judged(&book, notice)), [Reason::TooLarge]);
    assert_eq!(reasons(&judge_one("ann", "ria", "x")), [Reason::Class]);
    assert_eq!(reasons(&judge_one("ria", "ann", "x")), [Reason::Class]);
}

/// ENC-04: a secured message is kept in nobody's history, and so is what its protocol or a policy
/// keeps out.
#[test]
fn histories() {
    let book = bank_saying(vec![
        say("domain", Setting::HISTORY_KEEP, "", "free"),
        say("group:brokers", Setting::HISTORY_KEEP, "false", ""),
    ]);
    let kept = |submission| {
        let admitted = judged(&book, submission).admitted.expect("admitted");
        assert!(admitted.archive());
        (admitted.sender_history(), admitted.recipients()[0].history)
    };
    assert_eq!(kept(message("ann", &["tom"], "x")), (true, true));
    assert_eq!(kept(message("ann", &["bob"], "x")), (true, false));
    assert_eq!(kept(message("bob", &["ann"], "x")), (false, true));
    let mut secured = message("ann", &["tom"], "x");
    secured.class = PrivacyClass::Secured;
    assert_eq!(kept(secured), (false, false));
    let mut passing = message("ann", &["tom"], "x");
    passing.handling.history = false;
    assert_eq!(kept(passing), (false, false));
}

fn rule(name: &str, action: LexiconAction, audience: Audience) -> LexiconRule {
    LexiconRule {
        name: name.to_owned(),
        words: vec![name.to_owned()],
        patterns: Vec::new(),
        action,
        audience,
        text: format!("About {name}."),
    }
}

/// Words that are their own rule's name and its action.
fn lexicon_bank() -> Book {
    let mut lexicons: Vec<LexiconRule> =
        LexiconAction::ALL.map(|action| rule(action.name(), action, Audience::Everyone)).into();
    lexicons.push(rule("promise", LexiconAction::Block, Audience::Outside));
    let names = "{log, warn, confirm, hold, block, promise}";
    compile(&PolicySet {
        statements: vec![say("domain", Setting::MESSAGE_LEXICONS, names, "")],
        access: vec![AccessRule {
            name: "partners".to_owned(),
            node: crate::Node::Domain,
            effect: Effect::Permit,
            action: Action::Message,
            from: Selector::Node(crate::Node::Domain),
            to: Selector::Domain("partner.example".to_owned()),
            text: String::new(),
            when: None,
        }],
        lexicons,
        ..bank()
    })
}

fn fired(judged: &Judged) -> Vec<String> {
    let fired = judged
        .admitted
        .as_ref()
        .map_or_else(|| judged.refused[0].fired.to_vec(), |admitted| admitted.fired().to_vec());
    fired.iter().map(|fired| fired.rule.to_string()).collect()
}

/// MON-05: five rules, five behaviours.
#[test]
fn five_actions() {
    let book = lexicon_bank();
    let say = |text: &str| judged(&book, message("ann", &["bob"], text));

    let log = say("a log");
    assert!(log.admitted.is_some() && log.notices.is_empty());
    assert_eq!(fired(&log), ["log"]);

    let warn = say("I warn you");
    assert!(warn.admitted.is_some());
    assert_eq!(warn.notices.len(), 1);
    assert_eq!(warn.notices[0].to, who("ann"));
    assert_eq!(warn.notices[0].rule.as_ref(), "warn");
    assert_eq!(warn.notices[0].text.as_ref(), "About warn.");

    let confirm = say("please confirm");
    assert!(confirm.admitted.is_none());
    assert_eq!(reasons(&confirm), [Reason::Confirm]);
    assert_eq!(confirm.refused[0].public.as_ref(), "About confirm.");
    assert_eq!(confirm.refused[0].private, "lexicon rule confirm");

    let hold = say("on hold");
    let admitted = hold.admitted.as_ref().expect("held is admitted");
    assert_eq!(admitted.disposition(), Disposition::Hold);
    assert_eq!(hold.notices[0].action, LexiconAction::Hold);

    let block = say("block it");
    assert_eq!(reasons(&block), [Reason::Lexicon]);
    assert_eq!(fired(&block), ["block"]);
    assert!(say("nothing").admitted.is_some_and(|admitted| admitted.fired().is_empty()));
}

/// MON-05: the strongest action wins, and every rule that found something is recorded.
#[test]
fn the_strongest_action_wins() {
    let book = lexicon_bank();
    let say = |text: &str| judged(&book, message("ann", &["bob"], text));
    let all = say("log warn confirm hold block");
    assert_eq!(reasons(&all), [Reason::Lexicon]);
    assert_eq!(fired(&all), ["block", "confirm", "hold", "log", "warn"]);
    let held = say("log warn confirm hold");
    assert_eq!(held.admitted.map(|admitted| admitted.disposition()), Some(Disposition::Hold));
    assert_eq!(held.notices.len(), 1);
    assert_eq!(reasons(&say("log warn confirm")), [Reason::Confirm]);
}

/// A confirmation answers rules that ask for one and no others.
#[test]
fn confirmed_messages() {
    let book = lexicon_bank();
    let confirmed = |text: &str| {
        let submission = message("ann", &["bob"], text);
        let facts = Facts { confirmed: true, ..facts(&book, &submission) };
        judge(&facts, submission)
    };
    assert_eq!(fired(&confirmed("confirm")), ["confirm"]);
    assert!(confirmed("confirm").admitted.is_some());
    assert_eq!(confirmed("confirm warn").notices.len(), 1);
    let held = confirmed("hold").admitted.expect("held");
    assert_eq!(held.disposition(), Disposition::Hold);
    assert_eq!(reasons(&confirmed("block")), [Reason::Lexicon]);
}

/// A release lets a held message go on and skips nothing else; the word alone releases nothing.
#[test]
fn released_messages() {
    let book = lexicon_bank();
    let release = |origin, released, text: &str| {
        let mut submission = message("ann", &["bob"], text);
        submission.origin = origin;
        let facts = Facts { released, ..facts(&book, &submission) };
        judge(&facts, submission)
    };
    let disposition = |judged: Judged| judged.admitted.map(|admitted| admitted.disposition());
    let gone = release(Origin::Release, true, "hold confirm");
    assert_eq!(fired(&gone), ["confirm", "hold"]);
    assert_eq!(disposition(gone), Some(Disposition::Deliver));
    assert_eq!(disposition(release(Origin::Release, false, "hold")), Some(Disposition::Hold));
    assert_eq!(disposition(release(Origin::Chat, true, "hold")), Some(Disposition::Hold));
    assert_eq!(reasons(&release(Origin::Release, true, "hold block")), [Reason::Lexicon]);
    // The house reads no lexicon to itself.
    assert_eq!(disposition(release(Origin::House, false, "block")), Some(Disposition::Deliver));
}

/// POL-07: a phrase to a customer is flagged, and the same to a colleague is not; to both it is one
/// message.
#[test]
fn a_rule_for_customers() {
    let book = lexicon_bank();
    let promise = |to: &[&str]| judged(&book, message("ann", to, "I promise"));
    assert!(promise(&["bob"]).admitted.is_some());
    assert_eq!(reasons(&promise(&["pat@partner.example"])), [Reason::Lexicon]);
    assert_eq!(reasons(&promise(&["bob", "pat@partner.example"])), [Reason::Lexicon; 2]);
}

/// The judge has no memory: the same facts and the same submission, the same verdict.
#[test]
fn the_same_again() {
    let book = lexicon_bank();
    let one = || judged(&book, message("ann", &["bob", "pat@partner.example"], "log promise"));
    let (first, second) = (one(), one());
    assert_eq!(format!("{:?}", first.refused), format!("{:?}", second.refused));
    assert_eq!(first.notices, second.notices);
}
