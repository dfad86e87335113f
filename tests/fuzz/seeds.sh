#!/bin/sh
# Writes the first inputs of the fuzz targets into corpus/.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/token corpus/key_set corpus/authorization

tenant=aaaabbbb-0000-cccc-1111-dddd2222eeee
header='{"typ":"JWT","alg":"RS256","kid":"k"}'
claims='"aud":"api://a","tid":"'$tenant'","exp":1800003000,"nbf":1799999000,"iat":1799999000'
v1='"iss":"https://sts.windows.net/'$tenant'/"'
v2='"iss":"https://login.microsoftonline.com/'$tenant'/v2.0"'
# In an input of `token`, the byte 0xff separates header and claims.
printf '%s\377{%s,%s,"scp":"a b","azp":"c"}' "$header" "$claims" "$v2" > corpus/token/v2
printf '%s\377{%s,%s,"roles":["A"],"appid":"c"}' "$header" "$claims" "$v1" > corpus/token/v1
printf '%s\377{%s,%s,"scope":"\\u0061","x":[{},[1e400]]}' "$header" "$claims" "$v2" > corpus/token/scope
printf '{}\377{}' > corpus/token/empty
printf 'a.b.c' > corpus/token/text

modulus=$(head -c 341 /dev/zero | tr '\0' '_')w
key='{"kty":"RSA","use":"sig","kid":"k","n":"'$modulus'","e":"AQAB"}'
printf '{"keys":[%s]}' "$key" > corpus/key_set/one
printf '{"keys":[1,%s,{"kty":"EC","kid":"k"}]}' "$key" > corpus/key_set/mixed
printf '{"keys":[]}' > corpus/key_set/none

printf 'Bearer a.b.c' > corpus/authorization/one
printf 'Bearer a.b.c\nBearer d.e.f' > corpus/authorization/two
printf 'Basic YTpi' > corpus/authorization/basic
