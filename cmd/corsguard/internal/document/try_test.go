package document
import ("testing";"fmt";"os";"path/filepath")
func TestTry(t *testing.T){
 for _, s := range []string{"cors:\n  a: b: c\n","cors:\n\ta: 1\n","a: [1, 2\nb: 3\n","a: 'x\nb: 3\n","a: 1\n- b\n","a: @x\n","a: *x\n","a: {b: 1}}\n", "a:\n  b: 1\n c: 2\n", "a: \"\\q\"\n","%YAML 3.0\n---\na: 1\n","a: &x {b: *x}\n", "a: 1\n\n\nb\nc: 1\n", "\x00", "a: |\n   x\n  y\n", "? a\n? b\n: [", "a: 1\n---\nb: [\n", "? {a: 1}\n: 1\n","<<: 1\n", "a: !!int x\ncors: {maxAge: !!int '5', x: !!str 5}"} {
  _,_,err:=Read("f.yaml",[]byte(s)); fmt.Printf("%q\n   %v\n",s,err)
 }
 for _, f := range []string{"envoy.yaml","deploy/envoy/rate-limit.yaml","docs/environments/production.json"} {
   data,_:=os.ReadFile(filepath.Join("../../../..",f))
   ps,fs,err:=Read(f,data)
   fmt.Println(f,err)
   for _,p:=range ps {fmt.Println("  ",p.Kind,p.Name,p.Place("rules[1].match").String(),len(p.JSON))}
   for _,x:=range fs {fmt.Println("  ",x)}
 }
 fmt.Println(string(must(Read("x.yaml",[]byte("cors: {a: no, b: 1_000, c: 0o17, d: 2001-01-01, e: ~, f: , g: 0x1f, h: .inf, i: 1e3, j: 12:30:00, k: 'no', l: -, m: Yes, n: 010, o: +5, p: .5, q: 1.0, r: 99999999999999999999, s: y, t: 0b11, u: 1__0, v: --1, w: 2001-01-01T00:00:00Z, no: 1, 5: 6}")))))
}
func must(p []Policy, f any, e error) []byte { fmt.Println(e,f); return p[0].JSON}
