# What an integration does with curl: sign in, read a user, change it, act as it.
# $BASE is the server. Every line that is printed is a step's name and its result.
set -eu

token=$(curl -sf -X POST "$BASE/createjwt" -H 'Content-Type: application/json' \
  -d '{"username":"admin","password":"usher-demo-password"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')

user=$(curl -sf "$BASE/seiapi/v3/trans/User/tech.jones" -H 'Content-Type: application/json' -H "x-access-token: $token")
echo "read $user"

changed=$(printf '%s' "$user" | sed 's/"FaceTime":""/"FaceTime":"tech.jones@example.test"/; s/"TEAM-1"/"TEAM-2"/')
put=$(curl -sf -X PUT "$BASE/seiapi/v3/trans/User/tech.jones?emailNotification=true" -H 'Content-Type: application/json' \
  -H "x-access-token: $token" -d "$changed")
echo "put $put"

acting=$(curl -sf -X POST "$BASE/seiapi/v3/trans/User/tech.jones/impersonate" -H 'Content-Type: application/json' \
  -d '{"UserID":"admin","Password":"usher-demo-password"}' | sed 's/.*"Token":"\([^"]*\)".*/\1/')
echo "acting $(curl -sf "$BASE/seiapi/v3/trans/User/tech.jones" -H "x-access-token: $acting")"
echo "entity $(curl -sf "$BASE/seiapi/v3/trans/User/tech.jones/Entity" -H "x-access-token: $acting" | sed 's/.*"Name":"\([^"]*\)".*/\1/')"
echo "other $(curl -s -o /dev/null -w '%{http_code}' "$BASE/seiapi/v3/trans/User/admin" -H "x-access-token: $acting")"

echo "delete $(curl -sf -X DELETE "$BASE/seiapi/v3/trans/User/tech.jones" -H "x-access-token: $token")"
echo "gone $(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$BASE/seiapi/v3/trans/User/tech.jones" -H "x-access-token: $token")"
echo "acted $(curl -s -o /dev/null -w '%{http_code}' "$BASE/seiapi/v3/trans/User/tech.jones" -H "x-access-token: $acting")"
