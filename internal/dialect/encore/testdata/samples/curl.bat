@ECHO OFF

curl -v -X PUT "https://customerapi-encore.actsoft.com/users/v1/users/{id}/active?use-external-id={boolean}"
-H "Ocp-Apim-Subscription-Key: {subscription key}"

--data-ascii "{body}"
