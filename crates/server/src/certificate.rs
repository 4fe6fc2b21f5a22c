//! A certificate authority of the house's own and a certificate of the domain, for those who have
//! no other. Knows no file.

use model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use crate::fault::Fault;

/// Years that the authority's certificate is valid.
pub(crate) const AUTHORITY_YEARS: i32 = 10;

/// Years that the domain's certificate is valid.
pub(crate) const CERTIFICATE_YEARS: i32 = 2;

/// Certificates and keys in PEM form.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) authority_key: String,
    /// The domain's certificate with the authority's behind it.
    pub(crate) chain: String,
    pub(crate) key: String,
}

/// Makes an authority and a certificate for `names`, the first of which is the domain.
pub(crate) fn make(names: &[String], now: Timestamp) -> Result<Certificates, Fault> {
    if let Some(name) = names.iter().find(|name| !name.is_ascii()) {
        return Err(Fault::Usage(format!(
            "cannot make a certificate for {name}: give the domain in its ASCII form (xn--…)"
        )));
    }
    make_all(names, now).map_err(|why| {
        Fault::Environment(format!("cannot make a certificate for {}: {why}", names.join(", ")))
    })
}

fn make_all(names: &[String], now: Timestamp) -> Result<Certificates, rcgen::Error> {
    let domain = names.first().map(String::as_str).unwrap_or_default();
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name = name(&format!("Chancery authority of {domain}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut authority, now, AUTHORITY_YEARS);
    let authority_certificate = authority.self_signed(&authority_key)?;

    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name = name(domain);
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    valid(&mut leaf, now, CERTIFICATE_YEARS);
    let authority_pem = authority_certificate.pem();
    let authority_key_pem = authority_key.serialize_pem();
    let certificate = leaf.signed_by(&key, &Issuer::new(authority, authority_key))?;
    Ok(Certificates {
        chain: format!("{}{authority_pem}", certificate.pem()),
        authority: authority_pem,
        authority_key: authority_key_pem,
        key: key.serialize_pem(),
    })
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

/// From the day before, for clocks that are behind, for so many years.
fn valid(params: &mut CertificateParams, now: Timestamp, years: i32) {
    let day = now.plus_secs(-86_400).to_string();
    let part = |from: usize, to: usize| day.get(from..to).and_then(|part| part.parse::<u8>().ok());
    let year: i32 = day.get(..4).and_then(|year| year.parse().ok()).unwrap_or(1970);
    let month = part(5, 7).unwrap_or(1);
    // The 29th of February is not in every year.
    let day = part(8, 10).unwrap_or(1).min(28);
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(year + years, month, day);
}
