//! What the types forbid does not compile, and says why; beside it what compiles and resolves.

#[test]
fn what_types_forbid_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile-fail/pass/*.rs");
    cases.compile_fail("tests/compile-fail/*.rs");
}
