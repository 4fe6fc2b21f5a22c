//! What is an address once is the same address when it is printed and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Address, Resource};
use xmpp::jid::Jid;

fuzz_target!(|text: &str| {
    if let Ok(address) = Address::parse(text) {
        assert_eq!(Address::parse(address.as_str()).as_ref(), Ok(&address));
        assert_eq!(address.to_domain().as_str(), address.domain());
        match address.local() {
            Some(local) => assert_eq!(address.as_str(), format!("{local}@{}", address.domain())),
            None => assert_eq!(address.as_str(), address.domain()),
        }
    }
    if let Ok(resource) = Resource::parse(text) {
        assert_eq!(Resource::parse(resource.as_str()).as_ref(), Ok(&resource));
    }
    if let Ok(jid) = Jid::parse(text) {
        assert_eq!(Jid::parse(&jid.to_string()).as_ref(), Ok(&jid));
        assert_eq!(jid.to_bare().address, jid.address);
    }
});
