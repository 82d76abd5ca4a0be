//! What the types forbid does not compile, with a clear message; small valid platforms compile.

#[test]
fn what_types_forbid_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile-fail/pass/*.rs");
    cases.compile_fail("tests/compile-fail/*.rs");
}
