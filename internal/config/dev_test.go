package config_test
import ("testing";"os";"github.com/asgood-dev/asgood/internal/config")
func TestDev(t *testing.T) {
 data,_:=os.ReadFile("testdata/full.yaml")
 c,err:=config.Parse("testdata/full.yaml",data,func(s string)(string,bool){return map[string]string{"CLICKHOUSE_PASSWORD":"pw","WEBHOOK_SECRET":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}[s],true})
 t.Logf("%+v\n%v",c,err)
 for _,s:=range []string{
`name: ""
features:
  - name: a
    scorrs: []
    scorers:
      - {name: x, type: regx}
      - {name: x, type: regex, pattern: '(Yes'}
      - {name: s, type: json_schema, schema: schemas/none.json}
      - {name: s2, type: json_schema, schema: schemas/wrong.json}
      - {name: s3, type: json_schema, schema: schemas/refers.json}
      - {name: s4, type: json_schema, schema: schemas/broken.json}
    monitors:
      - metric: corect
        adjust: [model]
        range: [1]
      - metric: x
        metric: y
        baseline: {first: 10, window: 7d}
listen: {ingest: ":4318"}
retention: 5
`, "a: [", "a: 'x", "? [a]\n: b\n", "x: &a [*a]", "- a", "text", "", "---\n---\nname: x", "name: a\n---\nname: b", "name: !!str x", "name: ${X", "\tname: x","name: x\n  foo: y", "name: \"${A}", "name: x\nname: y", "storage: {<<: {dir: x}, nats: 1}", "features: ${X}\nname: [x]\nstorage: {clickhouse: \"clickhouse://u:pa/ss@h:x\"}",
 } {
 _,err:=config.Parse("testdata/x.yaml",[]byte(s),func(s string)(string,bool){return "",false})
 t.Logf("%q\n%v",s,err)
 }
}
