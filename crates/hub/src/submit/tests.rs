//! Which refusals leave a record.

use std::sync::Arc;

use model::{Address, Timestamp};
use policy::{Book, Fact, Facts, PolicySet, Profile, RecipientFacts};

use super::is_archived;

fn profile(archive: bool) -> Fact<Arc<Profile>> {
    let set = PolicySet { domain: "bank.example".to_owned(), ..PolicySet::default() };
    let ann = Address::parse("ann@bank.example").unwrap();
    let profile = Book::compile(set).unwrap().profile(&ann, Timestamp::from_micros(0));
    Fact::Known(Arc::new(Profile { archive, ..profile }))
}

fn archived(sender: Fact<Arc<Profile>>, recipients: Vec<RecipientFacts>) -> bool {
    is_archived(&Facts {
        now: Timestamp::from_micros(0),
        policy_version: 1,
        sender,
        recipients,
        confirmed: false,
        released: false,
    })
}

/// POL-05: a refusal is recorded where either side is archived, and where that is not known.
#[test]
fn either_side_archives() {
    let here = |profile| RecipientFacts {
        local: Fact::Known(true),
        exists: Fact::Known(true),
        profile,
        ..RecipientFacts::default()
    };
    let nobody = RecipientFacts { exists: Fact::Known(false), ..here(Fact::Unknown) };
    let outside = RecipientFacts { local: Fact::Known(false), ..nobody.clone() };
    assert!(archived(profile(true), Vec::new()));
    assert!(!archived(profile(false), vec![here(profile(false)), nobody, outside]));
    assert!(archived(profile(false), vec![here(profile(false)), here(profile(true))]));
    assert!(archived(profile(false), vec![here(Fact::Unknown)]));
    assert!(archived(Fact::Unknown, Vec::new()));
}
