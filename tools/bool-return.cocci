// `return -1;` in a bool function means true, and neither compilers nor clang-tidy object.
@number@
typedef bool;
identifier fn;
constant int value;
position where;
@@
bool fn(...) {
<+...
return value@where;
...+>
}

@script:python depends on number@
where << number.where;
fn << number.fn;
@@
print("%s:%s: bool function %s returns a number" % (where[0].file, where[0].line, fn))
