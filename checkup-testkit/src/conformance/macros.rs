//! Turns a list of behaviours into tests and a table.

/// Makes a `BEHAVIOURS` table of a suite's list.
#[doc(hidden)]
#[macro_export]
macro_rules! __behaviour_table {
    ([$fixture:ty] $( [$($need:ident)*] $($name:ident)::+, )*) => {
        &[$( $crate::conformance::Behaviour::<$fixture>::new(
            $crate::__last_segment!($($name)::+), &[$(stringify!($need)),*], $($name)::+,
        ) ),*]
    };
}

/// The last segment of a path, as text.
#[doc(hidden)]
#[macro_export]
macro_rules! __last_segment {
    ($name:ident) => { stringify!($name) };
    ($head:ident :: $($rest:ident)::+) => { $crate::__last_segment!($($rest)::+) };
}

/// Makes the tests of a suite's list, except for those that need what the implementation lacks.
#[doc(hidden)]
#[macro_export]
macro_rules! __behaviour_tests {
    ([$suite:ident $without:tt] $( $needs:tt $name:ident, )*) => {
        $( $crate::__unless! { $needs $without {
            #[test]
            fn $name() {
                $crate::conformance::run(__make_fixture, $crate::conformance::$suite::$name);
            }
        } } )*
    };
}

/// Makes the module with all tests of one implementation.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance {
    ($suite:ident $fixture:ident $module:ident $list:ident $factory:expr, [$($without:ident)*]) => {
        #[allow(dead_code, unused_imports)]
        mod $module {
            use super::*;

            fn __make_fixture() -> $crate::conformance::$fixture {
                ($factory)()
            }

            $crate::$list! { __behaviour_tests [$suite [$($without)*]] }

            /// Tests that whatever is declared as missing really is.
            mod is_without {
                $(
                    #[test]
                    fn $without() {
                        $crate::conformance::run(super::__make_fixture, $crate::conformance::$suite::without::$without);
                    }
                )*
            }
        }
    };
}

/// Makes the tests, unless something in the first list is in the second.
#[doc(hidden)]
#[macro_export]
macro_rules! __unless {
    ([] $without:tt { $($tests:tt)* }) => { $($tests)* };
    ([$need:ident $($needs:ident)*] $without:tt $tests:tt) => {
        $crate::__unless_one! { $need $without { $crate::__unless! { [$($needs)*] $without $tests } } }
    };
}

/// Makes the tests, unless the capability is in the list. A macro can only compare names with ones that it knows.
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_one {
    (reader [reader $($rest:ident)*] $tests:tt) => {};
    (maintainer [maintainer $($rest:ident)*] $tests:tt) => {};
    (files [files $($rest:ident)*] $tests:tt) => {};
    (failing [failing $($rest:ident)*] $tests:tt) => {};
    (hanging [hanging $($rest:ident)*] $tests:tt) => {};
    (endless [endless $($rest:ident)*] $tests:tt) => {};
    (secret [secret $($rest:ident)*] $tests:tt) => {};
    (tries [tries $($rest:ident)*] $tests:tt) => {};
    (open [open $($rest:ident)*] $tests:tt) => {};
    (escaping [escaping $($rest:ident)*] $tests:tt) => {};
    ($need:ident [$other:ident $($rest:ident)*] $tests:tt) => { $crate::__unless_one! { $need [$($rest)*] $tests } };
    ($need:ident [] { $($tests:tt)* }) => { $($tests)* };
}
