//! Addresses and their numbers. A number stands for one address for ever.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use model::Address;

use crate::{
    db::{Db, Value},
    fault::{Result, damaged},
    vault::{Place, Table, Vault},
};

/// Addresses kept in memory; when there are more, all are read again as needed.
const PARTIES_MAX: usize = 200_000;

/// What is known of addresses that are committed.
#[derive(Default)]
pub(crate) struct Parties {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    ids: HashMap<Address, i64>,
    addresses: HashMap<i64, Address>,
}

impl Parties {
    /// The number of an address, if it has one.
    pub(crate) fn find(
        &self,
        db: &mut Db,
        vault: &Vault,
        address: &Address,
    ) -> Result<Option<i64>> {
        if let Some(id) = self.known(address) {
            return Ok(Some(id));
        }
        let digest = vault.digest(Table::Party, address.as_str().as_bytes());
        let row = db.query_one("SELECT id FROM party WHERE digest = ?1", &[(&digest).into()])?;
        let Some(mut row) = row else { return Ok(None) };
        let id = row.i64(0)?;
        self.learn(address, id);
        Ok(Some(id))
    }

    /// The number, if it is in memory.
    pub(crate) fn known(&self, address: &Address) -> Option<i64> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.ids.get(address).copied()
    }

    /// The address of a number.
    pub(crate) fn address(&self, db: &mut Db, vault: &Vault, id: i64) -> Result<Address> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = known.addresses.get(&id) {
            return Ok(address.clone());
        }
        drop(known);
        let fault = || damaged("a row names an address that is not there");
        let row = db.query_one("SELECT address FROM party WHERE id = ?1", &[Value::I64(id)])?;
        let envelope = row.ok_or_else(fault)?.blob(0)?;
        let plain = vault.open(Place::numbered(Table::Party, 0, id), &envelope)?;
        let text = std::str::from_utf8(&plain).map_err(|_| fault())?;
        let address = Address::parse(text).map_err(|_| fault())?;
        self.learn(&address, id);
        Ok(address)
    }

    /// Remembers an address whose row is committed.
    pub(crate) fn learn(&self, address: &Address, id: i64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.ids.len() >= PARTIES_MAX {
            *known = Known::default();
        }
        known.ids.insert(address.clone(), id);
        known.addresses.insert(id, address.clone());
    }
}
