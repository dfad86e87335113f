//! A key with the exponent 3, a key of 1024 bits, and signatures under them that were computed
//! beforehand: genuine ones, and the forgeries that lenient RSA verifiers have accepted. The
//! private keys were thrown away.

use crate::bench::encoded;
use serde_json::{Value, json};

/// The `kid` of the key with the exponent 3.
pub(crate) const EXPONENT_3: &str = "exponent-3";
/// The `kid` of the key of 1024 bits.
pub(crate) const BITS_1024: &str = "bits-1024";

const MODULUS: &str = "\
    2ZRc_9DbTi25-udjq69mFQqvrIehSwkjftguOv0fZOkLxrk8-qlLqZVeHiE331ci9W82Ij2vXgaVSlHMlNGXaL0rUCcGxKkXxXrncxVjO0\
    scRhX0NSOREWH_ZSP_HCMGt5Z46HNkpkI2rjFg7QJXh0tzTtraJVSWUEEfEgSoBWMkTcjtXi1TiGvAnqt0k9OqgOQWqxR3AM9Ed4KyCK6E\
    2vk1Adgyss5mSZ4mAeVN-g4HQHplxHyzIpy2tiAYT3A7wR131BM1-eqYsaVXMdsae0dRERquaUe2fC5eK05dzNpTcqk9AIDfquUKCYFbl0\
    sTwUMQphH7l_52DJAIKSLl8Q";

const SMALL_MODULUS: &str = "\
    q_0HT9P-4ckfvGWjBbnK3a-NQp8vzJSdBi5h66O6dezgYelrRWgkozQHJI0K0dS75pqlJqXZn12LyduQ1YImk7uMLCrntZf1NZWbZQC685\
    Rjb4CZ_hHwT4KRtyAQvkdX7bPxXHt-ssjgv79y4oN9VfMDHsfzuq3Kg66QFXnePpE";

/// Under the key of 1024 bits, over [`signing_input`] 0: PKCS #1 v1.5 with SHA-256 as it should be.
pub(crate) const SMALL_GENUINE: &str = "\
    f0WlX-WaUTFT-C_yxSIy2xXFxoH9tKSQcEGWavxVuDDXJ3CAwMECr73-wNzchwwR8ZQc-BsxoQb2BU9GrXplANISElQzoYEQbNrOVt5o0s\
    omFmtSG-0-M4MnrZAg76MmRN0QdU0Jx_1AAuIog82sP9QuNLRA87zxK05WpAC-9MU";

/// The public key with the exponent 3.
pub(crate) fn exponent_3() -> Value {
    json!({ "kty": "RSA", "use": "sig", "kid": EXPONENT_3, "n": MODULUS, "e": "Aw" })
}

/// The public key of 1024 bits.
pub(crate) fn bits_1024() -> Value {
    json!({ "kty": "RSA", "use": "sig", "kid": BITS_1024, "n": SMALL_MODULUS, "e": "AQAB" })
}

/// What the signatures are over; `number` made the hash odd where the forgery needs that.
pub(crate) fn signing_input(kid: &str, number: usize) -> String {
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#);
    format!("{}.{}", encoded(header), encoded(payload(number)))
}

/// The claims of these tokens; all of them would be accepted.
pub(crate) fn payload(number: usize) -> String {
    let iss = crate::bench::V2;
    format!(
        r#"{{"aud":"{}","iss":"{iss}","exp":1800003000,"scp":"access_as_user","tid":"{}","n":{number}}}"#,
        crate::bench::API,
        crate::bench::TENANT
    )
}

/// Under the key with the exponent 3, over [`signing_input`] 0, as it should be.
pub(crate) const GENUINE: &str = "\
    gPTqyP7z3cfIS70MWtZmxEeuTxUZmXSCVKlDGr6ATswZSzjHmztyp8ePFKiJs7Kd6a737OsS5TU9CnDbG23tUmJDwSmivly3IU1PxBFWNN\
    Y7txGojQIB3QSXcl1GuOSI7TJgaosRRYipcwVgNkoPmi991bG0LnGaY6upE9LLOsZP-R2nxam6f0K4vcn3UpHVEqB067IETLhjoLCTtnSN\
    AYDtVIcRChakAq1cOxtKpIMJsjCy-rOyWwkXy3PLdoFsRUNr1Sa8-4FOkIZ2XFss37Yenb55ch_OcZO3gWO942zWo5c_NkwZflfU4_bHlj\
    5QYlqWLku7F1iJnOR6Xns0iQ";

/// Under the same key: what is wrong, the number of the signing input, the signature.
pub(crate) const FORGERIES: [(&str, usize, &str); 13] = [
    (
        "garbage after the hash, eight bytes of padding (Bleichenbacher 2006)",
        0,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXZ1IPUWQHWRdtN4JvLvY649x6f2nAuc9nIjIiHKEZKcGPGgYX2Xv0c_VQedw8PoAK\
        B5YarxBZ24gwde7lyfzXaHFwlbhjTH92faQQ",
    ),
    (
        "garbage after the hash, no byte of padding",
        0,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAKFPNc-TT9oVa0mXPhmaI0CzbPntNqydAP9HoW5fqRS3Pp-LidcjAeta73R1xoBGgYqJLzpUkZTlXnW\
        IAF9_s3-G5auEw2d8avaXn-bUDJWgm0SxJKg",
    ),
    (
        "garbage after the hash, one byte of padding",
        0,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsOGJIRZEYF78SXDzxU0PO4TifjO_yROoltEVoXIPTS7DNcO4mjm4hQ_Rs6yltC2--YZqtuNfCV9uq\
        Tv7N_M2RuWdzsiJtvSUmbQ4Ds7Tk7MgQR-qw",
    ),
    (
        "garbage in the parameters of the hash algorithm",
        1,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXkg1xZdd8-Nb0sZpMFAJtyb8SpnLi5PjWK3rSo3M8SMmm0apl4-Wb2N4yVQYyRSeD\
        XMNrVWVEGdpPPhC5nCwULrwkGq2kojTdhNnw",
    ),
    (
        "garbage among the padding bytes",
        1,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVcd4jlqCY8cxVCWcdopbs7HZKRRDsRwuzBz_TEuNlYmdEY14lr-3QBEtPY4yVQYyRSeD\
        XMNrVWVEGdpPPhC5nCwULrwkGq2kojTdhNnw",
    ),
    (
        "no NULL after the name of the hash algorithm",
        0,
        "15GsRAxebQpHvayC_RCFPn5p-2oVMBvyuk-5j2MFfVQ6h7ni5fAklVS2HOwDCSOjNJV-bXwr0CkPjxavfNLiQzWrcOfQQNsln2iIvM\
        rMbImjq6Hzw8FH5BT1fQ2p-hMY-CKLXOay3ek1QR6wGLEBzlJdRlyHNOffSHpB9Nc6NAQBTkQJqMVNr4wfp0ceyEJHUXPA1riGLgHI\
        RZMklLLCdxMeIqekaQrHHnaR2JEHtq8KCNYcNOH-50BitJ3pN7Sb-tChMxD_Ee5kXaJsvN60O1tAxvOm3MpAhMkQ5riDTr6Lokf28o\
        7QOUv52rKh5hBJ85KBoPFjMyvITwR2mBug7g",
    ),
    (
        "a zero byte too many in front, one padding byte too few",
        0,
        "TOmm79r0swPi5Y-h8b-AsKkTzy3NxIGV_FXtqDvFDTbc-ISUsGkUKZclHpbOHCYDdFSycO8b1cLYKOVZvyNnc71wgodWymCqxdS_bd\
        Dw5zoyDZX-8U5Id1nKEBHsbh4xmF-aouCyUz7o-GHjXjelK1n0HAJcGl3LOTwc2IEkJHnjl0ym0U13jFE3KGCyaPKMi9l6Dg_067at\
        Z40d5NdQ2TDEjXmABH-EAE3Czo4DIBAlPdDy9zArdvkaMLWlJzF0LnvYZMp7awptuKmWl1XxLzDYXLTbbZpIs4UKg2ThaV3-dE_dbG\
        9kn6KKd6STN0bj-4bJRMGwmOQwRD3d0MhTmg",
    ),
    (
        "block type 2, that of encryption",
        0,
        "mJtl3OtHpkXeAFLJQ_a96euT4VeL4xD4QBnlIr9TGb0JuzDonzUMQQWdCLDIFaY2Td3VAvST_qENw5c6UZl9todxS1FuhZjZbCeB72\
        _BN0I82inpZ4Nxph3TGEaZ9S6TJPFqDqonCK_MPlRAy8bh9R3fSiN7Ppu6TUz1mzh_e25hAV0r4-BuR8T3kt8BF4LughoKmhUVqK22\
        iFSJFGMfhqJl6F7znDT-3m4-qvQFEAnJpV7sH9Ityi9fLCy85hFeex1Vd3HohszRSTM37AOT-PJyvybHPfg_jbd9haOmePtNRSDrEq\
        QIFkpZTgAdWTk2Qxet3q8otJcGHgM01dk4fA",
    ),
    (
        "the bare hash, no name of an algorithm",
        0,
        "VzvtQDPc0h3eXYg4CsgFv6Gmkl2MzgtDnBW_iRtOeONfxNv9-PQ0EUBIclTrS7SQvhtZJvQpYpfI9urskds62DoZAf7ViC6PKFei55\
        qlDK6I9gjj5T_LyY0-Hnv6Rl2lp6RmVRnfYfzB8N0RSL5R7TqCYKj9MMWmi_WoLVwMC2Ty5B5FePpXA19eC1kj54h8ZiBQL3kiZBNL\
        6SgeFso86mDpHB73oadPspBHbtdTZHaV9AlRKpOHOKCAPY1sSQBWSldcb5R7LWQ1aBce57gLwDwKxic_EhAIx1R0fUFjwDnhOto6ps\
        r8pX7X_c_AP_8WpxSlg7B6kEmhaxHQ0xyRrg",
    ),
    (
        "a hash of 31 bytes",
        0,
        "0kJUvXxuKp0rXbxIGY8XvW5rKEU5ra5ymgA6b8n-V169FzV7EK9pdS2L-g6ddYFhlGB1G1k2CI0kWYFQfhmjarBIG9IN7FCGq-7Ul4\
        Wo0l72VoLMiZAfe7VhfaBjdQuGueihzdlL-VErUQElHn-vcwahNFnFlfV5Rt1luIC0IQgRhojrDiI3X35_VMGWVGjGVPr2umSbD3XL\
        taN_AssxNaRaeNeSuuypskSqyUarFbNhRV7i3Prp9f20MXS4iW4g6P7c1KNGnFrYeGmUBF5oYOvZl01aIC0PkNvXBpZMmZ1sqe4nOb\
        ouB3vlH1xdYaPU3EsVSdwio7HLekIor-ETtw",
    ),
    (
        "SHA-1, named as such",
        0,
        "hMe9VEvV59V0tYfNEzez2NBWxkt6Nh18MYaBjIgp6fRrGT3e08TPMi-zZ5SDLLAYz7LRqRrO_z45vg1x2vmyYSzSgFEu-9n0i4V3OO\
        WBd0Is09RdO8GOgAO-12rDbKkja0koYofdYkC-SCSHx0EvJyzRoKVjluTMco1hzfpjagimqktrZYN_McFcRX1I_uTTMk0znnCh9De4\
        tYlyzhTliQDZat-gBm7eRsckfgrLolHYqHSuqQPoWOGOL8I8pym8Z4OLTAapkTEI-QJTQ6jTWOipIw67sXmdoWZVhuLdN1XvmFCZUU\
        b1_jzoloT6I-omnrs3gQQO5qS4eMAxhmHNlQ",
    ),
    (
        "a length in two bytes where one suffices",
        0,
        "gRs8oobhKq3nbKsiGA_j6Lo6KqhzzcxhJucLA1yhicz2UAisd1PCn9mzutVXoPtpA-dZMANfWms3gtaDYIQ4bo6-_aYUw8uMHDwwk_\
        ZzrAqEe34a47E66W8E9LIILZCuXLVL1QRhQ8FGgKd3rAjq7Wm2cDOOxGOrXAapqOaWS2rrlMBJ7mPuZLCAItHoIBFxQS1tygVWIVXM\
        26vway-vbAnI0gQ3RArxHvZumo3nPxZH6E8c2k4VXsx4b4UACTdzw3qgBaIorhAGzyRgyFJxnOnSg4-7hUf7Xp022ZfVxtvIfNnao3\
        OfQN2C4K8JXaRKiAWNt3JmKzwsm2iHCDx74w",
    ),
    (
        "one zero byte after the hash",
        0,
        "j6RDhNqJYG9mVCVyRvNVawdz6RQwyWrhEmyojuNdKZLjfMIwtzHL9ajGg39UdxdjccBGKc8bustxlqQwtwHOleqpdaT0SKw2el7evE\
        P3ZItL6Q1EZx7BiJ0V9L_d_c6C__PKzG5sP1gtj6M8kDTYMuhnUzS8sBWP36i7uPYrojGU1gPEYiVPotzOtL42JW9IZpQQoHyInjjD\
        yOTLNkoUvW1ZsrTU4A-nGmlBJ1ITluH2B8edCU1rwmHxC1ECBfJNN1am1J80BUhoyCI85upQd4tNeXUrLP_hbYjb6uyhsFD59CbMee\
        b9YSK5hppA39_iq1b6VqFvudbD3BYUm2tHMw",
    ),
];
