//! What is written is read back, and what was not written is refused.

use model::{
    Address, Content, ContentKind, Format, Handling, Origin, PrivacyClass, Recipient, Resource,
    Submission, Timestamp,
};
use proptest::{
    collection::vec,
    option,
    prelude::{Strategy, any},
    prop_assert, prop_assert_eq, proptest,
    sample::select,
};

use super::{
    CLASSES, FORMATS, KINDS, ORIGINS, SUBSCRIPTIONS, decode_contact, decode_held, decode_letter,
    encode_contact, encode_held, encode_letter,
};
use crate::batch::RosterItem;

fn ana() -> Address {
    Address::parse("ana@bank.example").unwrap()
}

/// The parts of a submission; the whole has no `Debug`, for it holds somebody's words.
#[derive(Clone, Debug)]
struct Parts {
    octets: Vec<u8>,
    text: String,
    client_id: Option<String>,
    refers_to: Option<String>,
    resource: Option<&'static str>,
    as_given: Vec<String>,
    codes: (Format, ContentKind, Origin, PrivacyClass),
    flags: [bool; 4],
    accepted: i64,
}

fn parts() -> impl Strategy<Value = Parts> {
    let words = || option::of(any::<String>());
    let content = (vec(any::<u8>(), 0..99), any::<String>(), words(), words());
    let codes = (select(FORMATS), select(KINDS), select(ORIGINS), select(CLASSES));
    let people = (option::of(select(vec!["phone", "Ω"])), vec(any::<String>(), 0..3));
    let fields = (content, codes, people, any::<[bool; 4]>(), any::<i64>());
    fields.prop_map(|(content, codes, (resource, as_given), flags, accepted)| {
        let (octets, text, client_id, refers_to) = content;
        Parts { octets, text, client_id, refers_to, resource, as_given, codes, flags, accepted }
    })
}

fn submission(parts: Parts) -> Submission {
    let session = parts.resource.map(|resource| Resource::parse(resource).unwrap());
    let recipients = parts.as_given.into_iter().map(|as_given| Recipient {
        address: ana(),
        session: session.clone(),
        as_given: as_given.into(),
    });
    let (format, kind, origin, class) = parts.codes;
    let [history, wait, copies, fallback] = parts.flags;
    Submission {
        origin,
        sender: ana(),
        recipients: recipients.collect(),
        session,
        class,
        content: Content {
            format,
            kind,
            octets: parts.octets.into(),
            text: parts.text.into(),
            client_id: parts.client_id.map(Into::into),
            refers_to: parts.refers_to.map(Into::into),
        },
        handling: Handling { history, wait, copies, fallback },
        accepted: Timestamp::from_micros(parts.accepted),
    }
}

proptest! {
    #[test]
    fn messages_come_back(parts in parts(), rules in vec(any::<String>(), 0..3)) {
        let submission = submission(parts);
        let letter = decode_letter(&encode_letter(&submission)).unwrap();
        prop_assert_eq!((&letter.sender, &letter.session), (&submission.sender, &submission.session));
        prop_assert_eq!((letter.origin, letter.class), (submission.origin, submission.class));
        prop_assert_eq!(letter.accepted, submission.accepted);
        prop_assert_eq!(&letter.octets, &submission.content.octets);
        prop_assert_eq!(&letter.client_id, &submission.content.client_id);
        prop_assert_eq!(&letter.refers_to, &submission.content.refers_to);

        let octets = encode_held(&submission, &rules);
        let (back, back_rules) = decode_held(&octets).unwrap();
        prop_assert!(back.content == submission.content);
        prop_assert_eq!(back.recipients, submission.recipients);
        prop_assert_eq!(back.handling, submission.handling);
        prop_assert_eq!(back_rules, rules);
        // Every shorter text is refused, and so is a longer one.
        prop_assert!((0..octets.len()).all(|len| decode_held(&octets[..len]).is_none()));
        prop_assert!(decode_held(&[&octets[..], &[0]].concat()).is_none());
    }

    #[test]
    fn contacts_come_back(
        name in option::of(any::<String>()),
        groups in vec(any::<String>(), 0..3),
        subscription in select(SUBSCRIPTIONS),
        (ask, approved) in any::<(bool, bool)>(),
    ) {
        let item = RosterItem { contact: ana(), name, groups, subscription, ask, approved };
        prop_assert_eq!(decode_contact(ana(), &encode_contact(&item)), Some(item));
    }

    #[test]
    fn nonsense_is_refused(octets in vec(any::<u8>(), 0..64)) {
        // Whatever comes, no panic and no endless loop.
        let _ = (decode_letter(&octets).is_none(), decode_held(&octets).is_none());
        let _ = decode_contact(ana(), &octets);
    }
}

/// Each value has a byte, and every value is in its table.
#[test]
fn tables_are_whole() {
    assert_eq!((FORMATS.len(), KINDS.len(), ORIGINS.len()), (3, 7, 6));
    assert_eq!((CLASSES.len(), SUBSCRIPTIONS.len()), (3, 4));
    assert_eq!(FORMATS[0], Format::Stanza);
    assert_eq!(KINDS[6], ContentKind::Bounce);
    assert_eq!(ORIGINS[5], Origin::Release);
    assert_eq!(CLASSES[1], PrivacyClass::Private);
}
