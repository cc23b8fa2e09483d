// `return -1;` in a bool function means true, and neither compilers nor clang-tidy object.
@number@
typedef bool;
identifier function;
constant int number;
position where;
@@
bool function(...) {
<+...
return number@where;
...+>
}

@script:python depends on number@
where << number.where;
function << number.function;
@@
print("%s:%s: bool function %s returns a number" % (where[0].file, where[0].line, function))
