//! How many addresses stay in memory.

use std::{collections::BTreeMap, sync::Arc};

use model::{Address, Resource};

use super::{IDLE_PEOPLE_MAX, People, Person, SWEEP_MARGIN, State, Transit};

fn person(number: usize) -> Person {
    let state = State {
        bound: Vec::new(),
        roster: BTreeMap::new(),
        roster_version: 0,
        roster_edits: 0,
        blocked: std::collections::BTreeSet::new(),
        transit: Transit::load(None),
        forced: None,
        sight: None,
    };
    Person::new(Address::parse(&format!("p{number}@bank.example")).unwrap(), state)
}

/// Whoever is only spoken to is forgotten, also when nobody signs out; whoever is here is not.
#[test]
fn those_who_were_spoken_to_are_forgotten() {
    let people = People::default();
    let here = people.insert(person(0));
    let resource = Resource::parse("desk").unwrap();
    assert!(people.bind(&here, resource, 1).is_some());
    let held = people.insert(person(1));
    for number in 2..3 * IDLE_PEOPLE_MAX {
        people.insert(person(number));
        let loaded = people.loaded.read().unwrap().len();
        assert!(loaded <= IDLE_PEOPLE_MAX + SWEEP_MARGIN + 2, "{loaded}");
    }
    assert!(people.find(&here.address).is_some());
    assert!(Arc::ptr_eq(&people.find(&held.address).unwrap(), &held));
}
