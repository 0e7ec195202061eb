use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use super::*;

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    CertifiedIssuer::self_signed(ca(name), KeyPair::generate().unwrap()).unwrap()
}

fn leaf(issuer: &CertifiedIssuer<'_, KeyPair>, usage: ExtendedKeyUsagePurpose) -> Certificate {
    let mut params = CertificateParams::new(vec!["web.shop.svc".into()]).unwrap();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap()
}

/// Each verifier on its own, so that neither hides behind the other.
fn refused_by_both(chain: &Chain, purpose: Purpose<'_>) {
    webpki(chain, purpose).unwrap_err();
    openssl(chain, purpose).unwrap_err();
}

#[test]
fn a_good_chain_passes_for_its_name_and_purpose_alone() {
    let root = root("root");
    let chain = Chain::new(&leaf(&root, ExtendedKeyUsagePurpose::ServerAuth).pem(), &root.pem()).unwrap();
    assert_eq!(chain.verify(Purpose::ServerNamed("web.shop.svc")).unwrap(), ["rustls-webpki", "openssl"]);
    chain.verify(Purpose::Server).unwrap();
    refused_by_both(&chain, Purpose::ServerNamed("other.shop.svc"));
    refused_by_both(&chain, Purpose::Client);
}

#[test]
fn another_root_of_the_same_name_is_not_trusted() {
    let (mine, theirs) = (root("root"), root("root"));
    let chain = Chain::new(&leaf(&mine, ExtendedKeyUsagePurpose::ClientAuth).pem(), &theirs.pem()).unwrap();
    refused_by_both(&chain, Purpose::Client);
}

#[test]
fn an_intermediate_is_needed_and_used() {
    let root = root("root");
    let mut params = ca("intermediate");
    params.use_authority_key_identifier_extension = true;
    let intermediate = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
    let leaf = leaf(&intermediate, ExtendedKeyUsagePurpose::ClientAuth).pem();
    let whole = Chain::new(&format!("{leaf}{}", intermediate.pem()), &root.pem()).unwrap();
    whole.verify(Purpose::Client).unwrap();
    assert_eq!(whole.intermediates().len(), 1);
    refused_by_both(&Chain::new(&leaf, &root.pem()).unwrap(), Purpose::Client);
}
